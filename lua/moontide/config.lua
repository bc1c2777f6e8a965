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

local function target_choices(args, values)
  local place = ('of target "%s" in %s'):format(values.target, values.file)
  return {
    { args.url, "--url" },
    { values.own_urls.direct_url, "direct_url " .. place },
    { values.own_urls.url, "url " .. place },
  }, 3
end

-- Migrations go to the server itself rather than through a pooler, so the direct
-- URLs come first. An empty variable counts as unset unless nothing else is given.
local function common_choices(args, values)
  local file = values.file
  return {
    { args.url, "--url" },
    { variable "DATABASE_URL_DIRECT", "$DATABASE_URL_DIRECT" },
    { values.direct_url, "direct_url in " .. file },
    { values.given_url, "url in " .. file },
    { os.getenv("DATABASE_URL"), "$DATABASE_URL" },
  }, 5
end

-- A target with a URL of its own is that database, whatever the environment says.
local function given_url(args, values)
  local choices, count = (values.own_urls and target_choices or common_choices)(args, values)
  for index = 1, count do
    if choices[index][1] then return table.unpack(choices[index]) end
  end
  return nil
end

local function choose_url(args, values)
  local text, name = given_url(args, values)
  if text then return text, name end
  fault.raise("config", "no database URL", {
    hint = values.targets and "Name one of the targets with -n."
      or ("Set $DATABASE_URL, give --url, or set url in %s."):format(values.file),
  })
end

-- The host of Neon's pooler tells that of the server.
local function pooled_warning(direct)
  return {
    message = "the database URL leads to a pooler; the server itself is used instead", detail = direct,
    hint = "Set direct_url in env.lua or $DATABASE_URL_DIRECT to say so.",
  }
end

local function ready_url(args, values)
  local url, report = require "moontide.url", require "moontide.report"
  local text, name = choose_url(args, values)
  local ready, warnings = url.normalise(text, { keywords = require("moontide.db").keywords(), name = name })
  local direct = url.pooled(ready) and url.direct(ready)
  if direct then warnings[#warnings + 1] = pooled_warning(url.mask(direct)) end
  local secured, warning = url.secured(direct or ready)
  warnings[#warnings + 1] = warning
  for _, each in ipairs(warnings) do report.warn(each.message, { detail = each.detail, hint = each.hint }) end
  return secured
end

-- Paths and tables -----------------------------------------------------------

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
  values.models = values.models and from_directory(values.directory, values.models)
end

local function name_version_table(values)
  local given = values.version_table or {}
  local schema = given.schema or values.schema
  local default = values.schema == "moontide" and "version" or "moontide_version"
  values.version_table = { schema = schema, name = given.name or default }
end

-- The URL is looked for when it is first asked for, because most commands that read
-- only files need none; asking for it where there is none raises. `has_url` says whether one is given.
local function seal(values, args)
  local url
  return setmetatable({}, {
    __index = function(_, name)
      if name == "has_url" then return (given_url(args, values) or "") ~= "" end
      if name ~= "url" then return values[name] end
      url = url or ready_url(args, values)
      return url
    end,
    __newindex = function(_, name) error(("cannot set config.%s"):format(tostring(name)), 2) end,
  })
end

-- Targets ---------------------------------------------------------------------

-- A target with a schema of its own keeps its versions there and looks for names there first.
local function give_schema(values, own)
  if not own.schema then return end
  if not own.version_table and values.version_table then values.version_table = { name = values.version_table.name } end
  if not own.search_path then values.search_path = { own.schema, "public" } end
end

local function copy(values)
  local new = {}
  for name, value in pairs(values) do new[name] = value end
  return new
end

local function joined(under, over)
  local all = copy(under or {})
  for name, value in pairs(over or {}) do all[name] = value end
  return all
end

-- What a target says wins over the rest of env.lua.
local function apply_target(read, values, one)
  local own = {}
  for name, value in pairs(one.given) do own[name] = check_key(read.path, read.text, name, value) end
  local x = joined(values.x, own.x)
  for name, value in pairs(own) do values[name] = value end
  values.target, values.x = one.name, x
  if own.url or own.direct_url then values.own_urls = { url = own.url, direct_url = own.direct_url } end
  give_schema(values, own)
end

local function finish(read, args, values)
  check_together(read.path, read.text, values)
  place_paths(values, read.path)
  name_version_table(values)
  values.given_url, values.url, values.x = values.url, nil, joined(values.x, args.x)
  return seal(values, args)
end

-- A function of targets may ask the database of the environment who its tenants are.
local function asker(read, args)
  local connection
  local function query(sql, ...)
    connection = connection or require("moontide.connecting").connect(finish(read, args, copy(read.values)))
    return connection:exec(sql, table.pack(...))
  end
  return query, function() if connection then connection:close() end end
end

local function call_targets(read, args)
  local query, close = asker(read, args)
  local _ <close> = setmetatable({}, { __close = close })
  local ok, answer = xpcall(read.values.targets, require("moontide.gate").explain, query)
  if ok then return answer end
  answer.detail = answer.detail or "in the function targets of " .. read.path
  error(answer, 0)
end

-- The declared targets, asked for once.
local function targets_of(read, args)
  if not read.targets then
    local declared = read.values.targets
    if type(declared) == "function" then declared = call_targets(read, args) end
    read.targets = require("moontide.config.target").read(declared or {}, place_of(read.path, read.text, "targets"))
  end
  return read.targets
end

local only = "MOONTIDE_ONLY_TARGET" -- says to one of several processes which target is its own

local function wanted(args)
  local one = os.getenv(only)
  return one and { one } or args.name or {}
end

local function refuse_several(list, read)
  fault.raise("usage", ("this runs on one target, and %d are meant"):format(#list), {
    hint = ("Name one of the targets of %s with -n, without * and ?."):format(read.path),
  })
end

-- The whole -------------------------------------------------------------------

--- Read env.lua and check its keys.
---@param args { config?: string, x?: table }  the global options
---@return table read  for `config.load` and `config.selected`
function config.read(args)
  local path, text = find(args)
  local scope = environment.open({ directory = path:match("^(.*)/[^/]*$") or ".", kind = "config" },
    { context = { x = args.x or {} } })
  local values = check_keys(path, text, (scope:run(path, text, scope:fresh())))
  require("moontide.report").log(values.log)
  return { path = path, text = text, values = values }
end

--- The names of the targets that a command of all targets is for: those that -n names, or all there are. Nil when
--- it is for one database.
---@param args table  the global options
---@param read table
---@return string[]?
function config.selected(args, read)
  local globs = wanted(args)
  if #globs == 0 and (args.url or not read.values.targets) then return nil end
  local list = require("moontide.config.target").select(targets_of(read, args), globs, read.path)
  local names = {}
  for index, one in ipairs(list) do names[index] = one.name end
  return not os.getenv(only) and names or nil
end

--- Read the configuration. Everything in it is checked; `url` is what libpq reads,
--- and raises when there is none.
---@param args { config?: string, url?: string, name?: string[], x?: table }  the global options
---@param read? table  what `config.read` answered
---@return table
function config.load(args, read)
  read = read or config.read(args)
  local values, globs = copy(read.values), wanted(args)
  if #globs > 0 then
    local list = require("moontide.config.target").select(targets_of(read, args), globs, read.path)
    if #list > 1 then refuse_several(list, read) end
    apply_target(read, values, list[1])
  end
  local sealed = finish(read, args, values)
  require("moontide.config.extend").with_plugins(values, values.x, function(name)
    return place_of(read.path, read.text, name)
  end)
  return sealed
end

return config
