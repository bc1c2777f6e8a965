--- Repeatable objects as steps of a run: applied behind the revisions of an upgrade,
--- taken away before those of a downgrade to base, put back to a version before.

local fault = require "moontide.fault"
local history = require "moontide.history"
local books = require "moontide.repeatable.books"
local repeatable = require "moontide.repeatable"

local plan = {}

-- Functions -------------------------------------------------------------------

local function load(object, scope)
  if not object.name:find("%.sql$") then return require("moontide.revision").load(object, scope) end
  return require("moontide.sqlfile").functions(object.path, object.text, scope.names.op, true)
end

local function step_of(object, direction, rows, verb)
  return {
    direction = direction, revision = object, from = {}, to = { object.name }, changes = {}, rows = rows,
    title = verb .. " repeatable " .. object.name,
  }
end

local function apply_step(object, rows)
  local step = step_of(object, "upgrade", rows, "Applying")
  step.load = function(scope) return load(object, scope) end
  step.records = function(own) return { books.record(own, object) } end
  return step
end

local function remove_step(object, rows)
  local step = step_of(object, "downgrade", rows, "Removing")
  step.load = function(scope) return load(object, scope) end
  step.records = function(own) return { books.forget(own, object.name, 0) } end
  return step
end

-- The version that is there is taken away first where it says how.
local function restore_step(object, before, version, rows)
  local step = step_of(object, "downgrade", rows, "Restoring")
  step.load = function(scope)
    local now, then_ = load(object, scope), load(before, scope)
    return { downgrade = function()
      if now.downgrade then now.downgrade() end
      local put_back = then_.upgrade or then_.change
      put_back()
    end }
  end
  step.records = function(own) return { books.forget(own, object.name, version) } end
  return step
end

-- State -----------------------------------------------------------------------

-- The rows of a query; nil where the table is not there, as in databases of earlier versions.
local function read(live, sql)
  local ok, result = pcall(live.db.exec, live.db, sql)
  if ok then return result end
  if not history.is_missing(result) then error(result, 0) end
  return nil
end

local function by_name(result)
  local map = {}
  for _, row in ipairs(result or {}) do map[row.name] = row end
  return map
end

-- A stored version, whose text need not be that of the file any more.
local function stored(row)
  return repeatable.new(row.name, ("%s@%s"):format(row.name, row.checksum:sub(1, 12)), row.text)
end

local function stored_objects(live)
  local objects = {}
  for _, row in ipairs(read(live, books.last(live.history, true)) or {}) do objects[#objects + 1] = stored(row) end
  return repeatable.order(objects, true)
end

--- The last applied version of each object.
---@param live moontide.Session
---@return table<string, moontide.RepeatableRow>
function plan.applied(live)
  return by_name(read(live, books.last(live.history)))
end

-- Steps -----------------------------------------------------------------------

local function is_removable(object)
  if object.name:find("%.lua$") then return object.text:find("%f[%w_]function%s+downgrade%s*%(") ~= nil end
  return require("moontide.sqlfile").sections(object.path, object.text, true).downgrade ~= nil
end

-- Before the revisions are taken away, so is what is built on them and says how.
local function before_base(steps, objects, rows)
  local removed = {}
  for index = #objects, 1, -1 do
    if is_removable(objects[index]) then removed[#removed + 1] = remove_step(objects[index], rows) end
  end
  table.move(steps, 1, #steps, #removed + 1)
  table.move(removed, 1, #removed, 1, steps)
end

local function behind_heads(steps, objects, rows)
  rows = #steps > 0 and steps[#steps].rows or rows
  for _, object in ipairs(objects) do steps[#steps + 1] = apply_step(object, rows) end
end

local function is_heads(target) return target == "head" or target == "heads" end

local function ends_empty(steps) return #steps > 0 and #steps[#steps].rows == 0 end

--- Add the steps of repeatable objects to those of a run on the server.
---@param steps table[]
---@param direction "upgrade"|"downgrade"
---@param target string
---@param config table
---@param live moontide.Session
function plan.online(steps, direction, target, config, live)
  local wanted = direction == "upgrade" and is_heads(target) or direction == "downgrade" and ends_empty(steps)
  if not wanted then return end
  local files = repeatable.files(config)
  if #files == 0 then return end
  if direction == "downgrade" then return before_base(steps, stored_objects(live), live.state.rows) end
  local last = read(live, books.last(live.history))
  if not last then live.db:exec(books.create(live.history)) end
  behind_heads(steps, repeatable.due(files, by_name(last)), live.state.rows)
end

--- Add the steps of repeatable objects to those of a script: all of them, since nobody can be asked.
---@param steps table[]
---@param direction "upgrade"|"downgrade"
---@param target string
---@param config table
---@param rows string[]
function plan.offline(steps, direction, target, config, rows)
  if direction == "upgrade" and is_heads(target) then return behind_heads(steps, repeatable.files(config), rows) end
  if direction == "downgrade" and ends_empty(steps) then before_base(steps, repeatable.files(config), rows) end
end

-- A version before ------------------------------------------------------------

local function known_name(live, config, name)
  local objects = stored_objects(live)
  local object = repeatable.find(objects, name)
  if object then return object, objects end
  local file = repeatable.find(repeatable.files(config), name)
  fault.raise("revision", ('repeatable "%s" %s'):format(name, file and "has not been applied" or "does not exist"),
    { hint = "`moontide status` lists the repeatable objects that were applied." })
end

local function how_far(target, count, name)
  local steps = target == nil and 1 or target == "base" and count or tonumber(target:match("^%-(%d+)$"))
  if not steps or steps < 1 then
    fault.raise("usage", ('"%s" is no version of a repeatable object'):format(target),
      { hint = "Give -N for the version so many before, base to remove the object, or nothing for the last one." })
  end
  if steps > count then
    fault.raise("revision", ('repeatable "%s" has %d version%s, not %d to go back'):format(name, count,
      count == 1 and "" or "s", steps))
  end
  return steps
end

local function check_removable(object)
  if is_removable(object) then return end
  fault.raise("revision", ('repeatable "%s" cannot be downgraded: there is no version before it'):format(object.name), {
    where = object.path,
    hint = "It would be removed by a `-- downgrade` section (in Lua, downgrade()), but the applied version has none.",
  })
end

--- The steps that put a repeatable object back to a version before, or remove it.
---@param live moontide.Session
---@param config table
---@param name string
---@param target? string  "-N" or "base"
---@return table[] steps
function plan.back(live, config, name, target)
  local rows = live.state.rows
  local object, objects = known_name(live, config, name)
  local versions = live.db:exec(books.versions(live.history, object.name))
  local before = versions[how_far(target, #versions, object.name) + 1]
  if not before then
    check_removable(object)
    return { remove_step(object, rows) }
  end
  local steps = { restore_step(object, stored(before), before.version, rows) }
  for _, other in ipairs(repeatable.built_on(objects, object)) do steps[#steps + 1] = apply_step(other, rows) end
  return steps
end

return plan
