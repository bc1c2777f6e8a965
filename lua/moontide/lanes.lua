--- A graph drawn beside a list, in the characters of `git log --graph`. Pure: the
--- entries newest first and what each stands on in, rows of characters out.
---
--- A *lane* is a column in which a line runs down to one entry, its *target*. At an
--- entry its lane fans out into one for each parent; then lanes with the same target
--- meet in the leftmost one, and lanes that end leave their room to those on the right.
--- Lanes meet one after the other, so no two lines ever turn in the same place. A lane
--- that only carries dependencies is drawn with colons, and goes to the side with dots.
---
--- In a row, lane i has character 2i-1; the diagonals between lanes i and i+1 have 2i.

local lanes = {}

---@class moontide.lanes.Entry
---@field id string
---@field parents string[]      drawn as lines
---@field dependencies? string[]  drawn as dotted lines

---@class moontide.lanes.Lane
---@field target string
---@field colour integer        1, 2, 3 ...; the caller takes it modulo the colours it has
---@field dotted boolean

---@class moontide.lanes.Cell
---@field text string           one character
---@field colour? integer       nil for a blank

---@alias moontide.lanes.Row moontide.lanes.Cell[]

---@class moontide.lanes.Drawing  what stands beside one entry, from top to bottom
---@field before moontide.lanes.Row[]
---@field node moontide.lanes.Row    beside the first line of the entry
---@field after moontide.lanes.Row[]
---@field rest moontide.lanes.Row    beside every further line
---@field column integer             the lane of the entry
---@field lanes moontide.lanes.Lane[]   all lanes at the entry

-- Rows ------------------------------------------------------------------------

-- The blanks before a character are filled in, so that rows are sequences.
local function put(row, position, text, lane)
  for blank = #row + 1, position - 1 do row[blank] = { text = " " } end
  row[position] = { text = text, colour = lane.colour }
end

-- A line that keeps its lane, or goes to a neighbouring one.
local function put_line(row, from, to, lane)
  if from == to then put(row, 2 * from - 1, lane.dotted and ":" or "|", lane) end
  if from < to then put(row, 2 * from, "\\", lane) end
  if from > to then put(row, 2 * to, "/", lane) end
end

-- A row with every lane going where `to` says; nil for a lane that is left out.
local function row_of(list, to)
  local row = {}
  for index, lane in ipairs(list) do
    local target = lane and to(index)
    if target then put_line(row, index, target, lane) end
  end
  return row
end

local function stay(index) return index end

-- Lanes from a place on move by one, the others stay.
local function shift(from, by)
  return function(index) return index >= from and index + by or index end
end

-- Lanes -----------------------------------------------------------------------

local function new_lane(state, target, dotted)
  state.colours = state.colours + 1
  return { target = target, colour = state.colours, dotted = dotted }
end

local function find(list, target)
  for index, lane in ipairs(list) do
    if lane and lane.target == target then return index end
  end
  return nil
end

local function join(lane, other)
  lane.dotted = lane.dotted and other.dotted
end

local function joined_by(list, index, parent)
  local lane = list[index]
  return lane and parent and lane.target == parent.target
end

-- The lanes for what an entry stands on; the first goes on in its own colour.
local function parent_lanes(state, entry, own)
  local list, seen = {}, {}
  local function add(ids, dotted)
    for _, id in ipairs(ids or {}) do
      if state.known[id] and not seen[id] then
        seen[id] = true
        local first = #list == 0
        list[#list + 1] = first and { target = id, colour = own.colour, dotted = dotted } or new_lane(state, id, dotted)
      end
    end
  end
  add(entry.parents, false)
  add(entry.dependencies, true)
  return list
end

-- An entry -------------------------------------------------------------------

-- More than two parents need room beside the entry: lanes on the right make it first.
local function make_room(list, index, count, rows)
  for _ = 3, count do
    if list[index + 1] ~= nil then
      rows[#rows + 1] = row_of(list, shift(index + 1, 1))
      table.insert(list, index + 1, false)
    end
  end
end

local function node_row(list, index, parents)
  local row = row_of(list, stay)
  row[2 * index - 1] = { text = "*", colour = list[index].colour }
  local last = 2 * (index + #parents - 2) - 1
  for position = 2 * index, last do
    local lane = parents[(position - 2 * index) // 2 + 3]
    row[position] = { text = position == last and "." or "-", colour = lane.colour }
  end
  return row
end

-- Two parents of which the first has the lane on the left already: `|/|`.
local function lean_left(list, index, parents, rows)
  local row = row_of(list, function(place) return place ~= index and place or nil end)
  put_line(row, index, index - 1, parents[1])
  put_line(row, index, index, parents[2])
  join(list[index - 1], parents[1])
  list[index], rows[#rows + 1] = parents[2], row
end

local function spread_row(list, index, parents, right, by)
  local row = row_of({ table.unpack(list, 1, index - 1) }, stay)
  put_line(row, index, index, parents[1])
  for k = 2, #parents do put_line(row, index + k - 2, index + k - 1, parents[k]) end
  for place = right, #list do put_line(row, place, place + by, list[place]) end
  return row
end

local function replace(list, from, last, new)
  local tail = table.move(list, last + 1, #list, 1, {})
  for place = #list, from, -1 do list[place] = nil end
  table.move(new, 1, #new, from, list)
  table.move(tail, 1, #tail, #list + 1, list)
end

-- The lane of an entry becomes a lane for each parent. When the lane on the right has
-- the last parent already, the line goes straight into it: `|\|`.
local function spread(list, index, parents, rows)
  local right = index + #parents - 1
  local shares = joined_by(list, right, parents[#parents])
  if shares then parents[#parents].colour = list[right].colour end
  rows[#rows + 1] = spread_row(list, index, parents, right, shares and 0 or 1)
  if shares then join(list[right], table.remove(parents)) end
  replace(list, index, right - 1, parents)
end

-- Of two parents, one that a neighbour has already goes on its side.
local function sorted_pair(list, index, parents)
  local crosses = joined_by(list, index - 1, parents[2]) or joined_by(list, index + 1, parents[1])
  return crosses and { parents[2], parents[1] } or parents
end

local function fan_out(list, index, parents, rows)
  if #parents < 2 then
    list[index] = parents[1] or false
    return
  end
  if #parents == 2 then parents = sorted_pair(list, index, parents) end
  local leans = #parents == 2 and joined_by(list, index - 1, parents[1])
  if leans and not joined_by(list, index + 1, parents[2]) then return lean_left(list, index, parents, rows) end
  spread(list, index, parents, rows)
end

-- The first lane whose target a lane further left has, and that one.
local function first_double(list)
  local seen = {}
  for index, lane in ipairs(list) do
    if seen[lane.target] then return index, seen[lane.target] end
    seen[lane.target] = index
  end
  return nil
end

local function close_gap(list, gap, rows)
  if list[gap + 1] then rows[#rows + 1] = row_of(list, shift(gap + 1, -1)) end
  table.remove(list, gap)
end

-- A lane goes left into another, below the lanes between: `|/`, or `|_|/` and then `|/|`.
local function meet(list, from, to, rows)
  local row = row_of(list, shift(from, -1))
  local level = list[from].dotted and "." or "_"
  for between = to + 1, from - 2 do row[2 * between] = { text = level, colour = list[from].colour } end
  rows[#rows + 1] = row
  local lane = table.remove(list, from)
  if from - to > 1 then
    row = row_of(list, stay)
    put_line(row, to + 1, to, lane)
    rows[#rows + 1] = row
  end
  join(list[to], lane)
end

local function settle(list, rows)
  local gap = nil
  for index, lane in ipairs(list) do
    if not lane then gap = index end
  end
  if gap then close_gap(list, gap, rows) end
  local from, to = first_double(list)
  while from do
    meet(list, from, to, rows)
    from, to = first_double(list)
  end
end

-- The lane of an entry. One that nothing leads to starts on the right, with a row
-- between when it would stand right below an entry that ended there.
local function place(state, entry, rows)
  local list = state.list
  local index = find(list, entry.id)
  if index then return index end
  if state.ended == #list + 1 then rows[#rows + 1] = row_of(list, stay) end
  list[#list + 1] = new_lane(state, entry.id, false)
  return #list
end

local function draw_entry(state, entry)
  local list, drawing = state.list, { before = {}, after = {} }
  local index = place(state, entry, drawing.before)
  drawing.column, drawing.lanes = index, table.move(list, 1, #list, 1, {})
  local parents = parent_lanes(state, entry, list[index])
  make_room(list, index, #parents, drawing.before)
  drawing.node = node_row(list, index, parents)
  fan_out(list, index, parents, drawing.after)
  state.ended = #parents == 0 and index == #list and index or nil
  settle(list, drawing.after)
  drawing.rest = row_of(list, stay)
  return drawing
end

--- Draw a graph beside its entries. What an entry stands on is left out when it is
--- not in the list.
---@param entries moontide.lanes.Entry[]  newest first: each before all that it stands on
---@return moontide.lanes.Drawing[]
function lanes.draw(entries)
  local state, drawings = { list = {}, known = {}, colours = 0 }, {}
  for _, entry in ipairs(entries) do state.known[entry.id] = true end
  for index, entry in ipairs(entries) do drawings[index] = draw_entry(state, entry) end
  return drawings
end

--- The entries of revisions.
---@param graph moontide.Graph
---@param revisions moontide.Revision[]  newest first
---@return moontide.lanes.Entry[]
function lanes.entries(graph, revisions)
  local entries = {}
  for index, rev in ipairs(revisions) do
    entries[index] = { id = rev.id, parents = rev.down, dependencies = graph:dependencies(rev.id) }
  end
  return entries
end

local function width(drawing)
  local most = math.max(#drawing.node, #drawing.rest)
  for _, row in ipairs(drawing.after) do most = math.max(most, #row) end
  return most
end

local function plain(cell) return cell.text end

local function text_of(row, style)
  local parts = {}
  for index, cell in ipairs(row) do parts[index] = cell.colour and style(cell) or " " end
  return table.concat(parts)
end

local function trimmed(row, style, line)
  if line and line ~= "" then return text_of(row, style) .. line end
  return (text_of(row, style):gsub("%s+$", ""))
end

--- The lines of a drawing with the lines of the entry beside it.
---@param drawing moontide.lanes.Drawing
---@param lines string[]  at least one
---@param style? fun(cell: moontide.lanes.Cell): string  colours a character
---@return string[]
function lanes.beside(drawing, lines, style)
  local out, wide = {}, width(drawing)
  local function add(row, line)
    local pad = line and (" "):rep(wide - #row + 1) .. line or nil
    out[#out + 1] = trimmed(row, style or plain, line ~= "" and pad or nil)
  end
  for _, row in ipairs(drawing.before) do add(row) end
  add(drawing.node, lines[1])
  for index = 2, math.max(#lines, #drawing.after + 1) do add(drawing.after[index - 1] or drawing.rest, lines[index]) end
  return out
end

return lanes
