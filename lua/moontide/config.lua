--- The configuration of a run: env.lua, the environment and the command line, made
--- into one checked table that nobody can change.

local lfs = require "lfs"
local sys = require "moontide.runtime.sys"
local environment = require "moontide.environment"
local fault = require "moontide.fault"
local key = require "moontide.config.key"

local config = {}

-- Finding the file ------------------------------------------------------------

local function missing(path, name)
  fault.raise("config", ('could not read "%s" (%s)'):format(path, name), {
    hint = "Run `moontide init` to write a new environment, or name an existing env.lua with --config.",
  })
end

-- A file that was named must be there; a folder stands for the env.lua in it.
local function named_file(path, name)
  if lfs.attributes(path, "mode") == "directory" then path = path:gsub("/+$", "") .. "/env.lua" end
  return path, sys.read(path) or missing(path, name)
end

local function depth_of(directory)
  return select(2, (directory or "/"):gsub("/[^/]+", ""))
end

local function search()
  local path = "migrations/env.lua"
  local text = sys.read(path)
  if text then return path, text end
  for _ = 1, depth_of(lfs.currentdir()) do
    path = "../" .. path
    text = sys.read(path)
    if text then return path, text end
  end
  fault.raise("config", "no migration environment found", {
    detail = "looked for migrations/env.lua here and in every parent folder",
    hint = "Run `moontide init` to write one, or name an env.lua with --config.",
  })
end

local function find(args)
  if args.config then return named_file(args.config, "--config") end
  local named = os.getenv("MOONTIDE_CONFIG")
  if named and named ~= "" then return named_file(named, "$MOONTIDE_CONFIG") end
  return search()
end

--- The env.lua that the command line, $MOONTIDE_CONFIG or the folders name; raises when there is none.
---@param args { config?: string }  the global options
---@return string path
function config.find(args) return (find(args)) end

-- Checking the keys -----------------------------------------------------------

-- The line of env.lua that sets a key, as well as a look at the text can tell.
local function place_of(path, text, name)
  local number = 0
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    if line:find("^[^%-\"']*%f[%w_]" .. name .. "%s*=") then return path .. ":" .. number end
  end
  return path
end

local function refuse_unknown(path, text, name)
  local nearest = require("moontide.suggest").nearest(tostring(name), key.names())
  fault.raise("config", ('unknown key "%s"'):format(tostring(name)), {
    where = type(name) == "string" and place_of(path, text, name:gsub("%p", "%%%0")) or path,
    hint = nearest and ('Did you mean "%s"?'):format(nearest) or nil,
  })
end

local function refuse_later(path, text, name, value)
  local what = value and ('%s = "%s"'):format(name, value) or ('"%s"'):format(name)
  fault.raise("config", what .. " is not supported by this version", { where = place_of(path, text, name) })
end

local function check_key(path, text, name, value)
  if key.later[name] then refuse_later(path, text, name) end
  if not key.known[name] then refuse_unknown(path, text, name) end
  local kept, expected = key.known[name].check(value)
  if kept == nil then
    fault.raise("config", ('"%s" must be %s'):format(name, expected), { where = place_of(path, text, name) })
  end
  local later = key.later_values[name]
  if later and later[value] then refuse_later(path, text, name, value) end
  return kept
end

local function check_keys(path, text, returned)
  if type(returned) ~= "table" then
    fault.raise("config", "env.lua must return a table, not " .. type(returned), {
      where = path, hint = 'End the file with return { url = "postgresql://..." }.',
    })
  end
  local values = {}
  for name, value in pairs(returned) do values[name] = check_key(path, text, name, value) end
  for name, entry in pairs(key.known) do
    if values[name] == nil then values[name] = entry.default end
  end
  return values
end

-- A file in a sub-folder that is never read again would be a revision lost.
local function check_together(path, text, values)
  if values.file_template:find("/", 1, true) and not values.recursive then
    fault.raise("config", "file_template makes sub-folders, which are read only with recursive = true", {
      where = place_of(path, text, "file_template"), hint = "Set recursive = true as well.",
    })
  end
end

-- The database ----------------------------------------------------------------

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- Migrations go to the server itself rather than through a pooler, so the direct
-- URLs come first. An empty variable counts as unset unless nothing else is given.
local function choose_url(args, values)
  local file = values.file
  local choices = {
    { args.url, "--url" },
    { variable "DATABASE_URL_DIRECT", "$DATABASE_URL_DIRECT" },
    { values.direct_url, "direct_url in " .. file },
    { values.given_url, "url in " .. file },
    { os.getenv("DATABASE_URL"), "$DATABASE_URL" },
  }
  for index = 1, 5 do
    if choices[index][1] then return table.unpack(choices[index]) end
  end
  fault.raise("config", "no database URL", {
    hint = ("Set $DATABASE_URL, give --url, or set url in %s."):format(file),
  })
end

local function ready_url(args, values)
  local url, report = require "moontide.url", require "moontide.report"
  local text, name = choose_url(args, values)
  local ready, warnings = url.normalise(text, { keywords = require("moontide.db").keywords(), name = name })
  for _, warning in ipairs(warnings) do report.warn(warning.message, { hint = warning.hint }) end
  return ready
end

-- The whole -------------------------------------------------------------------

local function from_directory(directory, path)
  if path:sub(1, 1) == "/" then return path end
  return directory == "." and path or directory .. "/" .. path
end

local function place_paths(values, path)
  values.file, values.directory = path, path:match("^(.*)/[^/]*$") or "."
  local locations = {}
  for index, location in ipairs(values.version_locations) do
    locations[index] = from_directory(values.directory, (location:gsub("(.)/+$", "%1")))
  end
  values.version_locations = locations
  values.repeatable = from_directory(values.directory, (values.repeatable:gsub("(.)/+$", "%1")))
end

local function name_version_table(values)
  local given = values.version_table or {}
  local schema = given.schema or values.schema
  local default = values.schema == "moontide" and "version" or "moontide_version"
  values.version_table = { schema = schema, name = given.name or default }
end

-- The URL is looked for when it is first asked for, because most commands that read
-- only files need none; asking for it where there is none raises.
local function seal(values, args)
  local url
  return setmetatable({}, {
    __index = function(_, name)
      if name ~= "url" then return values[name] end
      url = url or ready_url(args, values)
      return url
    end,
    __newindex = function(_, name) error(("cannot set config.%s"):format(tostring(name)), 2) end,
  })
end

local function refuse_targets(args)
  if not args.name then return end
  fault.raise("config", "named targets are not supported by this version", { hint = "Leave --name out." })
end

--- Read the configuration. Everything in it is checked; `url` is what libpq reads,
--- and raises when there is none.
---@param args { config?: string, url?: string, name?: string, x?: table }  the global options
---@return table
function config.load(args)
  refuse_targets(args)
  local path, text = find(args)
  local directory = path:match("^(.*)/[^/]*$") or "."
  local x = args.x or {}
  local scope = environment.open({ directory = directory, kind = "config" }, { context = { x = x } })
  local values = check_keys(path, text, (scope:run(path, text, scope:fresh())))
  check_together(path, text, values)
  place_paths(values, path)
  name_version_table(values)
  require("moontide.config.extend").with_plugins(values, x, function(name) return place_of(path, text, name) end)
  values.given_url, values.url, values.x = values.url, nil, x
  return seal(values, args)
end

return config
