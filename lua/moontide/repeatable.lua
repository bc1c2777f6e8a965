--- Repeatable objects: functions, views, triggers, each kept in a file of its own
--- that is applied again whenever it changes, after the revisions.
---
--- A file begins with the names of those it is built on, as in
---
---     -- requires: views/users, functions/age
---
--- and comes after them. When one of them is applied, so is it: its requirement may
--- have been dropped and made anew. Its name is its path below the folder. The file
--- is SQL as a whole, or in sections as a revision, or Lua with upgrade().

local lfs = require "lfs"
local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"

---@class moontide.Repeatable
---@field id string          "repeatable/" and the name: its revision in the log, the journal and messages
---@field name string        the path below the folder
---@field path string        for messages
---@field text string
---@field checksum string
---@field doc string
---@field requires string[]  as written

local repeatable = {}

-- Files -----------------------------------------------------------------------

local sections = { upgrade = true, downgrade = true, verify = true }

-- The comment lines at the beginning, up to a section.
local function head_of(text)
  local lines = {}
  for line in text:gsub("^\239\187\191", ""):gmatch("([^\n]*)\n?") do
    local words = line:match("^%s*%-%-%-?%s*([^\r]*)")
    if not words and line:find("%S") or words and sections[words:lower():match("^(%l+):?%s*$")] then break end
    lines[#lines + 1] = words
  end
  return lines
end

local function read_head(object)
  for _, line in ipairs(head_of(object.text)) do
    local names = line:match("^requires:(.*)$")
    for name in (names or ""):gmatch("[^%s,]+") do table.insert(object.requires, name) end
    if not names and object.doc == "" then object.doc = line end
  end
  return object
end

--- Whether a revision of the log or the journal is that of a repeatable object.
---@param id string
---@return boolean
function repeatable.is_id(id) return id:find("^repeatable/") ~= nil end

--- A repeatable object.
---@param name string
---@param path string
---@param text string
---@return moontide.Repeatable
function repeatable.new(name, path, text)
  return read_head {
    id = "repeatable/" .. name, name = name, path = path, text = text, doc = "", requires = {},
    checksum = require("moontide.runtime.digest").sha256(text),
  }
end

local function sorted_names(folder)
  local ok, iterator, state = pcall(lfs.dir, folder)
  if not ok then return {} end
  local names = {}
  for name in iterator, state do
    if name:sub(1, 1) ~= "." then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

local function read(path)
  local text, problem = sys.read(path)
  if not text then fault.raise("revision", "could not read " .. problem) end
  return text
end

local function collect(folder, prefix, list)
  for _, name in ipairs(sorted_names(folder)) do
    local path = folder .. "/" .. name
    if name:find("%.sql$") or name:find("%.lua$") then
      list[#list + 1] = repeatable.new(prefix .. name, path, read(path))
    elseif lfs.attributes(path, "mode") == "directory" then
      collect(path, prefix .. name .. "/", list)
    end
  end
  return list
end

--- The files of an environment; none where the folder is absent.
---@param config { repeatable: string }
---@return moontide.Repeatable[]  in the order in which they are applied
function repeatable.files(config)
  return repeatable.order(collect(config.repeatable, "", {}))
end

-- Order -----------------------------------------------------------------------

--- The object of a name, which may leave the ending out.
---@param objects moontide.Repeatable[]
---@param name string
---@return moontide.Repeatable?
function repeatable.find(objects, name)
  for _, ending in ipairs { "", ".sql", ".lua" } do
    for _, object in ipairs(objects) do
      if object.name == name .. ending then return object end
    end
  end
  return nil
end

local function refuse_unknown(object, name, objects)
  local names = {}
  for index, other in ipairs(objects) do names[index] = other.name:gsub("%.%l+$", "") end
  local nearest = require("moontide.suggest").nearest(name, names)
  fault.raise("revision", ('repeatable "%s" requires "%s", which does not exist'):format(object.name, name), {
    where = object.path .. ":1", hint = nearest and ('Did you mean "%s"?'):format(nearest) or nil,
  })
end

local function refuse_cycle(trail, object)
  local names, is_part = {}, false
  for _, other in ipairs(trail) do
    is_part = is_part or other == object
    if is_part then names[#names + 1] = other.name end
  end
  names[#names + 1] = object.name
  fault.raise("revision", "repeatable objects require each other: " .. table.concat(names, " -> "),
    { where = object.path .. ":1", hint = "Take one of them out of a `-- requires:` line." })
end

-- What an object requires comes before it.
local function visit(object, walk)
  if walk.done[object] then return end
  for _, open in ipairs(walk.trail) do
    if open == object then refuse_cycle(walk.trail, object) end
  end
  table.insert(walk.trail, object)
  for _, name in ipairs(object.requires) do
    local other = repeatable.find(walk.objects, name)
    if not other and not walk.lenient then refuse_unknown(object, name, walk.objects) end
    if other then visit(other, walk) end
  end
  table.remove(walk.trail)
  walk.done[object] = true
  table.insert(walk.sorted, object)
end

--- Objects in the order of their requirements, else of their names.
---@param objects moontide.Repeatable[]
---@param lenient? boolean  what is required may be missing
---@return moontide.Repeatable[]
function repeatable.order(objects, lenient)
  table.sort(objects, function(a, b) return a.name < b.name end)
  local walk = { objects = objects, sorted = {}, done = {}, trail = {}, lenient = lenient }
  for _, object in ipairs(objects) do visit(object, walk) end
  return walk.sorted
end

-- What to do ------------------------------------------------------------------

---@class moontide.RepeatableRow
---@field name string
---@field version integer
---@field checksum string
---@field current boolean   applied after the last downgrade of a revision, which may have taken things away
---@field text? string

local function is_due(object, row, objects, due)
  if not row or row.checksum ~= object.checksum or not row.current then return true end
  for _, name in ipairs(object.requires) do
    local other = repeatable.find(objects, name)
    if other and due[other] then return true end
  end
  return false
end

--- The objects that an upgrade applies, in order.
---@param objects moontide.Repeatable[]       in order
---@param rows table<string, moontide.RepeatableRow>  the last version of each
---@return moontide.Repeatable[]
function repeatable.due(objects, rows)
  local list, due = {}, {}
  for _, object in ipairs(objects) do
    if is_due(object, rows[object.name], objects, due) then
      due[object] = true
      list[#list + 1] = object
    end
  end
  return list
end

--- The objects that are built on one, in order, without itself.
---@param objects moontide.Repeatable[]  in order
---@param first moontide.Repeatable
---@return moontide.Repeatable[]
function repeatable.built_on(objects, first)
  local list, due = {}, { [first] = true }
  for _, object in ipairs(objects) do
    local is_above = object ~= first and is_due(object, { checksum = object.checksum, current = true }, objects, due)
    if is_above then
      due[object] = true
      list[#list + 1] = object
    end
  end
  return list
end

return repeatable
