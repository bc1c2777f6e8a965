local lanes = require "moontide.lanes"
local revisions = require "spec.support.revisions"

local function drawn(graph)
  local map, lines = revisions.map(graph), {}
  local list = map:walk()
  for index, drawing in ipairs(lanes.draw(lanes.entries(map, list))) do
    for _, line in ipairs(lanes.beside(drawing, { list[index].id })) do lines[#lines + 1] = line end
  end
  return lines
end

local function unindented(text)
  local indent, lines = text:match("^( *)"), {}
  for line in text:gmatch("([^\n]*)\n") do lines[#lines + 1] = (line:gsub("^" .. indent, ""):gsub("%s+$", "")) end
  return lines
end

local cases = {
  { "one revision", "a", [[
    * a
  ]] },
  { "a line", "a\nb < a\nc < b", [[
    * c
    * b
    * a
  ]] },
  { "two heads", "a\nb < a\nc < a", [[
    * b
    | * c
    |/
    * a
  ]] },
  { "a merge", "a\nb < a\nc < a\nd < b, c", [[
    *   d
    |\
    * | b
    | * c
    |/
    * a
  ]] },
  { "a branch and a label", "a\nb (shop) < a\nc < b\nd < a\ne < d", [[
    * c
    * b
    | * e
    | * d
    |/
    * a
  ]] },
  { "several bases, kept apart", "a\nb < a\nc\nd < c\ne", [[
    * b
    * a

    * d
    * c

    * e
  ]] },
  { "bases that meet", "a\nb\nc < a, b", [[
    *   c
    |\
    * | a
     /
    * b
  ]] },
  { "three parents", "a\nb < a\nc < a\nd < a\ne < b, c, d", [[
    *-.   e
    |\ \
    * | | b
    | * | c
    |/ /
    | * d
    |/
    * a
  ]] },
  { "five parents", "a\nb\nc\nd\ne\nf < a, b, c, d, e", [[
    *-----.   f
    |\ \ \ \
    * | | | | a
     / / / /
    * | | | b
     / / /
    * | | c
     / /
    * | d
     /
    * e
  ]] },
  { "three parents beside another branch", "a\nx < a\ny < a\nb < y\nc < y\nd < y\ne < b, c, d\nz < y", [[
    * x
    | *-.   e
    | |\ \
    | * | | b
    | | | | * z
    | | |_|/
    | |/| |
    | | * | c
    | |/ /
    | | * d
    | |/
    | * y
    |/
    * a
  ]] },
  { "a merge of the lane on the left", "a\nb < a\nc < a\nd < c\ne < b, c\nf < d, e", [[
    *   f
    |\
    * | d
    | * e
    |/|
    | * b
    * | c
    |/
    * a
  ]] },
  { "a merge of the lane on the right", "a\nb < a\nc < a\nd < a\ne < b, c\nf < c\ng < e, f", [[
    * d
    | *   g
    | |\
    | * |   e
    | |\ \
    | * | | b
    |/ / /
    | | * f
    | |/
    | * c
    |/
    * a
  ]] },
  { "a line that crosses another", "a\nb < a\nc < a\nd < a\ne < b, c\nf < d\ng < e, f", [[
    *   g
    |\
    * |   e
    |\ \
    * | | b
    | | * f
    | | * d
    | |/
    |/|
    | * c
    |/
    * a
  ]] },
  { "a line that crosses two", "a\nb < a\nc < a\nd < a\ne < a\nf < b, c, d\ng < e\nh < f, g", [[
    *   h
    |\
    |  \
    *-. |   f
    |\ \ \
    * | | | b
    | | | * g
    | | | * e
    | |_|/
    |/| |
    | * | c
    |/ /
    | * d
    |/
    * a
  ]] },
  { "a line that crosses three", "a\nb<a\nc<a\nd<a\ne<a\nf < b,c,d,e\ng<a\nh<b", [[
    *---.   f
    |\ \ \
    | | | | * h
    | |_|_|/
    |/| | |
    | | | | * g
    * | | | | b
    | |_|_|/
    |/| | |
    | * | | c
    |/ / /
    | * | d
    |/ /
    | * e
    |/
    * a
  ]] },
  { "an octopus that makes room on its right", "a\nb < a\nc < a\nd < a\ne < a\nf < e\ng < b, c, d\nh < g, f", [[
    *   h
    |\
    |  \
    *-. |   g
    |\ \ \
    * | | | b
    | | | * f
    | | | * e
    | |_|/
    |/| |
    | * | c
    |/ /
    | * d
    |/
    * a
  ]] },
  { "a dependency", "a\nb\nc < b ~ a", [[
    *   c
    |\
    * : b
     /
    * a
  ]] },
  { "a dependency on the line itself", "a\nb < a\nc < b ~ a", [[
    *   c
    |\
    * : b
    |/
    * a
  ]] },
  { "a dependency that meets a line", "a\nb < a\nc < a ~ b", [[
    *   c
    |\
    | * b
    |/
    * a
  ]] },
  { "a dependency that crosses two lines", "a\nb < a\nc < a\nd < a\nz\ny < z ~ b\nx < b, c, d, y", [[
    *---.   x
    |\ \ \
    | | | *  y
    | | | |\
    | |.|.|/
    |/| | |
    | | | * z
    | | * d
    * | | b
    | |/
    |/|
    | * c
    |/
    * a
  ]] },
  { "branches that depend on each other", "a\nb < a\nc\nd < c\ne < d ~ b\nf < b", [[
    *   e
    |\
    * : d
    * : c
     /
    : * f
    :/
    * b
    * a
  ]] },
}

-- Follows the lines of a drawing with nothing but its characters, the way a reader does:
-- a straight line goes on straight, a slanted one slanted, and where only one way is left, that one.
local Tracer = {}
Tracer.__index = Tracer

local function tracer(drawings, ids)
  local self = setmetatable({ rows = {}, nodes = {} }, Tracer)
  local function add(row, id)
    local text = {}
    for index, cell in ipairs(row) do text[index] = cell.text end
    self.rows[#self.rows + 1] = table.concat(text)
    if id then self.nodes[#self.rows] = id end
  end
  for index, drawing in ipairs(drawings) do
    for _, row in ipairs(drawing.before) do add(row) end
    add(drawing.node, ids[index])
    for _, row in ipairs(drawing.after) do add(row) end
  end
  return self
end

function Tracer:char(row, column) return (self.rows[row] or ""):sub(column, column) end

-- The ways on from the bottom of a lane: { lane, direction } one row further down.
function Tracer:ways(row, lane)
  local found, straight = {}, self:char(row + 1, 2 * lane - 1)
  if straight:find("^[|:*]") then found.straight = lane end
  if self:char(row + 1, 2 * lane - 2) == "/" and lane > 1 then found.left = lane - 1 end
  if self:char(row + 1, 2 * lane) == "\\" then found.right = lane + 1 end
  return found
end

-- A line that has gone left may go on level before it turns down.
function Tracer:level(row, lane)
  while lane > 1 and self:char(row, 2 * lane - 2):find("^[_.]") do lane = lane - 1 end
  return lane
end

function Tracer:follow(row, lane, direction)
  if direction == "left" then lane = self:level(row, lane) end
  if self:char(row, 2 * lane - 1) == "*" and direction == "straight" then return self.nodes[row] end
  local ways = self:ways(row, lane)
  local way = ways[direction] and direction or ways.straight and "straight" or ways.left and "left" or "right"
  assert(ways[way], ("the line ends in row %d, lane %d\n%s"):format(row, lane, table.concat(self.rows, "\n")))
  return self:follow(row + 1, ways[way], way)
end

function Tracer:edges_of(row)
  local lane, edges = (self.rows[row]:find("*", 1, true) + 1) // 2, {}
  local last = lane
  while self:char(row, 2 * last):find("^[-]") do last = last + 1 end
  for from = lane, last do
    for direction, to in pairs(self:ways(row, from)) do
      -- Beside an octopus the lines go right; only its own lane may go all ways.
      local is_own = from == lane or direction == "right"
      if is_own then edges[#edges + 1] = self:follow(row + 1, to, direction) end
    end
  end
  table.sort(edges)
  return edges
end

local function declared(entry, known)
  local edges, seen = {}, {}
  for _, list in ipairs { entry.parents, entry.dependencies } do
    for _, id in ipairs(list) do
      if known[id] and not seen[id] then edges[#edges + 1], seen[id] = id, true end
    end
  end
  table.sort(edges)
  return edges
end

local function check_edges(entries)
  local ids, by_id = {}, {}
  for index, entry in ipairs(entries) do ids[index], by_id[entry.id] = entry.id, entry end
  local trace = tracer(lanes.draw(entries), ids)
  for row, id in pairs(trace.nodes) do
    local expected, found = table.concat(declared(by_id[id], by_id), " "), table.concat(trace:edges_of(row), " ")
    assert(expected == found, ("%s stands on %s, drawn on %s\n%s"):format(id, expected, found,
      table.concat(trace.rows, "\n")))
  end
end

-- A random graph: each revision stands on up to four of the ones before it, mostly recent ones.
local function random_graph(size)
  local lines = {}
  for number = 1, size do
    local chosen = { [false] = {}, [true] = {} }
    for _ = 1, number > 1 and ({ 1, 1, 1, 1, 1, 1, 0, 2, 2, 3, 4 })[math.random(11)] or 0 do
      local list = chosen[math.random(6) == 1]
      list[#list + 1] = "r" .. math.max(1, number - math.random(7))
    end
    local down, deps = table.concat(chosen[false], ", "), table.concat(chosen[true], ", ")
    lines[number] = ("r%d%s%s"):format(number, down ~= "" and " < " .. down or "", deps ~= "" and " ~ " .. deps or "")
  end
  return table.concat(lines, "\n")
end

local fork = {
  { id = "c", parents = { "a", "b" } }, { id = "b", parents = {} }, { id = "a", parents = {} },
}

describe("lanes", function()
  for _, case in ipairs(cases) do
    it("draw " .. case[1], function()
      local expected, found = unindented(case[3]), drawn(case[2])
      assert.same(expected, found)
    end)
  end

  it("show every line, and no other, in all these drawings", function()
    for _, case in ipairs(cases) do
      local map = revisions.map(case[2])
      check_edges(lanes.entries(map, map:walk()))
    end
  end)

  it("show every line, and no other, in drawings of random graphs", function()
    math.randomseed(20)
    for _ = 1, 400 do
      local map = revisions.map(random_graph(math.random(2, 30)))
      check_edges(lanes.entries(map, map:walk()))
    end
  end)

  it("leave out what is not in the list", function()
    local drawings = lanes.draw { { id = "c", parents = { "b", "x" } }, { id = "b", parents = { "a" } } }
    assert.same({ "* c" }, lanes.beside(drawings[1], { "c" }))
    assert.same({ "* b" }, lanes.beside(drawings[2], { "b" }))
  end)

  it("put further lines of an entry beside the lines that go on", function()
    local drawings = lanes.draw(fork)
    assert.same({ "*   c", "|\\  one", "| |", "| | two" }, lanes.beside(drawings[1], { "c", "one", "", "two" }))
  end)

  it("give each line a colour, and keep it along the first parent", function()
    local drawings = lanes.draw(fork)
    local function mark(cell) return cell.text .. cell.colour end
    assert.same({ "*1   c", "|1\\2" }, lanes.beside(drawings[1], { "c" }, mark))
    assert.same({ "|1 *2 b" }, lanes.beside(drawings[2], { "b" }, mark))
  end)
end)
