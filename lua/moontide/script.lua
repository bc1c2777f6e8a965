--- The revision files of an environment, read from disk and made into a graph.

local lfs = require "lfs"
local sys = require "moontide.runtime.sys"
local environment = require "moontide.environment"
local fault = require "moontide.fault"
local graph = require "moontide.graph"
local revision = require "moontide.revision"

---@class moontide.Script
---@field config table
---@field revisions moontide.Revision[]   in the order of the files
---@field graph table

local script = {}

local function missing_directory(path)
  fault.raise("config", ('the folder for revisions "%s" does not exist'):format(path), {
    hint = "Run `moontide init` to write a new environment, or correct version_locations in env.lua.",
  })
end

local DOT = ("."):byte()

local function sorted_names(directory)
  local ok, iterator, state = pcall(lfs.dir, directory)
  if not ok then missing_directory(directory) end
  local names = {}
  for name in iterator, state do
    if name:byte() ~= DOT then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- Paths of the revision files below a folder. Only in a recursive location, and
-- there only for names that are no Lua or SQL file, is a name looked up on disk.
local function collect(directory, config, paths)
  for _, name in ipairs(sorted_names(directory)) do
    local path, ending = directory .. "/" .. name, name:sub(-4)
    if ending == ".lua" or ending == ".sql" then
      paths[#paths + 1] = path
    elseif config.recursive and path ~= config.repeatable and lfs.attributes(path, "mode") == "directory" then
      collect(path, config, paths)
    end
  end
  return paths
end

local function collect_all(config)
  local paths, seen = {}, {}
  for _, location in ipairs(config.version_locations) do
    local real = sys.realpath(location) or location
    if not seen[real] then collect(location, config, paths) end
    seen[real] = true
  end
  return paths
end

-- SQL files may also be data of Lua revisions.
local function is_revision(path, text)
  return path:sub(-4) ~= ".sql" or require("moontide.sqlfile").is_revision(text)
end

local function read(path)
  local text, problem = sys.read(path)
  if not text then fault.raise("revision", "could not read " .. problem) end
  return text
end

-- A file reached by two ways (a symbolic link, locations inside each other) counts
-- once. Only files that claim the same identifier are looked up on disk.
local function is_same_file(first, second)
  local real = sys.realpath(first)
  return real ~= nil and real == sys.realpath(second)
end

local function add(list, by_id, rev)
  local earlier = by_id[rev.id]
  if earlier and is_same_file(earlier.path, rev.path) then return end
  by_id[rev.id] = earlier or rev
  rev.order = #list + 1
  list[rev.order] = rev
end

local function read_all(config, check)
  local list, by_id, scope = {}, {}, nil
  local function idle()
    scope = scope or environment.idle(config)
    return scope
  end
  for _, path in ipairs(collect_all(config)) do
    local text = read(path)
    if is_revision(path, text) then add(list, by_id, revision.read(path, text, idle, check)) end
  end
  return list
end

--- Read all revisions of an environment. With `check`, every file is compiled, so
--- that a syntax error in any of them is found.
---@param config table
---@param options? { check?: boolean }
---@return moontide.Script
function script.open(config, options)
  local revisions = read_all(config, options and options.check)
  return { config = config, revisions = revisions, graph = graph.new(revisions) }
end

return script
