--- Heads put into one line: which revisions get other parents. Pure.
---
--- Moving a branch onto a revision gives that revision as parent to the lowest ones
--- of the branch: those whose parents are below the new place already. What is
--- applied somewhere must keep its parents.

local fault = require "moontide.fault"
local graph = require "moontide.graph"
local words = require "moontide.graph.words"

local rebase = {}

---@class moontide.rebase.Change
---@field revision moontide.Revision
---@field from string[]   the parents as they are
---@field to string[]

---@class moontide.rebase.Options
---@field rev? string       the head of the branch to move, an id
---@field onto? string      where to put it, an id
---@field applied table<string, boolean>
---@field created fun(rev: moontide.Revision): integer?  seconds, to put branches in the order they were written

local plain = { deps = false }

local function places(map, ids)
  local lines = {}
  for index, id in ipairs(ids) do lines[index] = words.place(map:get(id)) end
  return table.concat(lines, "\n")
end

local function in_file_order(map, set)
  local ids = {}
  for _, node in ipairs(map.nodes) do
    if set[node.id] then ids[#ids + 1] = node.id end
  end
  return ids
end

-- What belongs to a branch and not to what it shall stand on.
local function above(map, rev, onto)
  local below, moved = map:ancestors({ onto }, plain), {}
  for id in pairs(map:ancestors({ rev }, plain)) do moved[id] = not below[id] or nil end
  return moved
end

-- One move ----------------------------------------------------------------------

local function refuse_applied(map, moved, applied)
  local found = {}
  for id in pairs(moved) do found[id] = applied[id] or nil end
  if not next(found) then return end
  local ids = in_file_order(map, found)
  fault.raise("revision", ("cannot rebase what is applied: %s"):format(words.list(ids, 10)), {
    detail = places(map, ids),
    hint = "Put the other branch on top of this one, or join the heads with `moontide merge heads`.",
  })
end

local function refuse_circle(map, moved, onto)
  local found = {}
  for id in pairs(map:ancestors { onto }) do found[id] = moved[id] end
  if not next(found) then return end
  local ids = in_file_order(map, found)
  fault.raise("revision", ("cannot put %s on top of %s, which depends on it"):format(words.list(ids, 10),
    words.quote(onto)), { detail = places(map, ids), hint = "Put them the other way round." })
end

-- Parents that are moved too stay; the others are below the new place already.
local function new_parents(rev, moved, onto)
  local kept = {}
  for _, id in ipairs(rev.down) do
    if moved[id] then kept[#kept + 1] = id end
  end
  if #kept == 0 then return { onto } end
  return #kept < #rev.down and kept or nil
end

local function check_move(map, rev, onto)
  if map:ancestors({ onto }, plain)[rev] then
    fault.raise("revision", ("%s is below %s already"):format(words.quote(rev), words.quote(onto)), {
      hint = "Name the head of the branch to move, and with --onto the one to put it on.",
    })
  end
end

-- The changes that put the branch of `rev` on top of `onto`.
local function changes_of(map, rev, onto, applied)
  check_move(map, rev, onto)
  local moved, changes = above(map, rev, onto), {}
  refuse_circle(map, moved, onto)
  for _, id in ipairs(in_file_order(map, moved)) do
    local each = map:get(id)
    local to = new_parents(each, moved, onto)
    if to and not (#to == #each.down and to[1] == each.down[1]) then
      changes[#changes + 1] = { revision = each, from = each.down, to = to }
    end
  end
  if changes[1] then refuse_applied(map, moved, applied) end
  return changes
end

local function with_parents(rev, down)
  return setmetatable({ id = rev.id, down = down, deps = rev.deps, labels = rev.labels, path = rev.path },
    { __index = rev })
end

--- The graph with the changes made. Raises when they contradict each other.
---@param map moontide.Graph
---@param changes moontide.rebase.Change[]
---@return moontide.Graph
function rebase.apply(map, changes)
  local down, list = {}, {}
  for _, change in ipairs(changes) do down[change.revision.id] = change.to end
  for index, node in ipairs(map.nodes) do
    list[index] = down[node.id] and with_parents(node.revision, down[node.id]) or node.revision
  end
  return graph.new(list)
end

-- Which branch goes where ---------------------------------------------------------

local function list_heads(map, ids) return "The heads are:\n" .. places(map, ids) end

-- The revisions of a head that no other head has.
local function own(map, head)
  local set = map:ancestors({ head }, plain)
  for _, other in ipairs(map.heads) do
    if other ~= head then
      for id in pairs(map:ancestors({ other }, plain)) do set[id] = nil end
    end
  end
  return set
end

local function any(set, wanted)
  for id in pairs(set) do
    if wanted[id] then return true end
  end
  return false
end

-- When the first revision of a branch was written.
local function begun(map, set, created)
  local first
  for id in pairs(set) do
    local seconds = created(map:get(id))
    if not seconds then return nil end
    first = math.min(first or seconds, seconds)
  end
  return first
end

local function refuse_unrelated(map)
  local counts = {}
  for _, head in ipairs(map.heads) do
    for id in pairs(map:ancestors({ head }, plain)) do counts[id] = (counts[id] or 0) + 1 end
  end
  for _, count in pairs(counts) do
    if count == #map.heads then return end
  end
  fault.raise("revision", "the heads have no revision in common", {
    detail = list_heads(map, map.heads),
    hint = "Lines of history that were separate from the start are not joined unless told so, as in: "
      .. ("moontide rebase %s --onto %s"):format(map.heads[2], map.heads[1]),
  })
end

local function refuse_both_applied(map, ids)
  fault.raise("revision", "several branches are applied", {
    detail = list_heads(map, ids), hint = "Join them with: moontide merge heads",
  })
end

local function refuse_guess(map, ids)
  fault.raise("revision", "cannot tell which branch is to go on top", {
    detail = "Neither is applied, and their files have no dates that tell them apart. " .. list_heads(map, ids),
    hint = ("Say it, as in: moontide rebase %s --onto %s"):format(ids[2], ids[1]),
  })
end

-- Branches in the order in which they shall stand on each other.
local function sorted_heads(map, options)
  local list, fixed, ids = {}, {}, {}
  for index, head in ipairs(map.heads) do
    local set = own(map, head)
    local is_applied = any(set, options.applied)
    if is_applied then fixed[#fixed + 1] = head end
    list[index] = { head = head, at = is_applied and math.mininteger or begun(map, set, options.created) }
  end
  if fixed[2] then refuse_both_applied(map, fixed) end
  local seen = {}
  for _, item in ipairs(list) do
    local is_lonely = fixed[1] and #list == 2
    if not is_lonely and (not item.at or seen[item.at]) then refuse_guess(map, map.heads) end
    if item.at then seen[item.at] = true end
  end
  table.sort(list, function(a, b) return (a.at or math.maxinteger) < (b.at or math.maxinteger) end)
  for index, item in ipairs(list) do ids[index] = item.head end
  return ids
end

local function pairs_of_all(map, options)
  if #map.heads < 2 then return {} end
  refuse_unrelated(map)
  local heads, moves = sorted_heads(map, options), {}
  for index = 2, #heads do moves[#moves + 1] = { rev = heads[index], onto = heads[index - 1] } end
  return moves
end

-- The one head that is not on the branch of a revision.
local function other_head(map, id, option)
  local related, others = map:descendants({ id }, plain), {}
  for _, head in ipairs(map.heads) do
    if not related[head] then others[#others + 1] = head end
  end
  if #others == 1 then return others[1] end
  if #others == 0 then return nil end
  fault.raise("revision", ("there are %d other heads"):format(#others), {
    detail = list_heads(map, others), hint = ("Name one with %s."):format(option),
  })
end

local function moves_of(map, options)
  local rev, onto = options.rev, options.onto
  if not rev and not onto then return pairs_of_all(map, options) end
  rev = rev or other_head(map, onto, "REV")
  onto = onto or other_head(map, rev, "--onto")
  return rev and onto and { { rev = rev, onto = onto } } or {}
end

-- A revision that was changed twice counts once, from what its file says.
local function merged(map, changes)
  local list, by_id = {}, {}
  for _, change in ipairs(changes) do
    local id = change.revision.id
    if not by_id[id] then
      by_id[id] = { revision = map:get(id), from = map:get(id).down }
      list[#list + 1] = by_id[id]
    end
    by_id[id].to = change.to
  end
  return list
end

--- The changes that put branches on top of each other; none when there is nothing to do.
---@param map moontide.Graph
---@param options moontide.rebase.Options
---@return moontide.rebase.Change[] changes
---@return moontide.Graph graph  as it will be
function rebase.plan(map, options)
  local now, all = map, {}
  for _, move in ipairs(moves_of(map, options)) do
    local changes = changes_of(now, move.rev, move.onto, options.applied)
    now = rebase.apply(now, changes)
    table.move(changes, 1, #changes, #all + 1, all)
  end
  return merged(map, all), now
end

-- Dates -------------------------------------------------------------------------

-- Days since 1970 of a date in the Gregorian calendar; years count from March.
local function days(year, month, day)
  if month < 3 then year, month = year - 1, month + 12 end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
end

--- When a revision was written, as the comment at its head says it.
---@param rev moontide.Revision
---@return integer?
function rebase.created(rev)
  local pattern = "%-%-%s*Create Date:%s*(%d+)-(%d+)-(%d+)[ T](%d+):(%d+):(%d+)[%d.]*([^\r\n]*)"
  local year, month, day, hour, minute, second, zone = rev.text:match(pattern)
  if not year then return nil end
  local sign, hours, minutes = zone:match("([+-])(%d%d):?(%d%d)")
  local offset = sign and (hours * 60 + minutes) * (sign == "-" and -60 or 60) or 0
  local clock = tonumber(hour) * 3600 + tonumber(minute) * 60 + tonumber(second)
  return math.tointeger(days(math.tointeger(year), math.tointeger(month), math.tointeger(day)) * 86400 + clock - offset)
end

return rebase
