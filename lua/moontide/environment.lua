--- The global tables in which the user's own Lua files run: env.lua, revision files
--- and the helpers they require. Each file gets globals of its own; the standard
--- libraries it sees are shared and cannot be changed, and what could leave the
--- process or the database behind (os.execute, io.popen, os.exit, ...) is absent
--- unless the project is trusted.

local caller = require "moontide.caller"
local fault = require "moontide.fault"

---@class moontide.Scope
---@field directory string   where `require` looks for helpers
---@field kind string        the kind of the faults that loading raises: "config" or "revision"
---@field names table        what every file of this scope sees
---@field loaded table<string, any>   helpers that are loaded; `false` while one is loading
local Scope = {}
Scope.__index = Scope

local environment = {}

-- What files may see ----------------------------------------------------------

local function read_only(library, name)
  return setmetatable({}, {
    __index = library,
    __newindex = function(_, key) error(("cannot set %s.%s, the libraries are shared"):format(name, key), 2) end,
    __pairs = function() return pairs(library) end,
    __metatable = false,
  })
end

local function pick(library, names)
  local picked = {}
  for name in names:gmatch("%S+") do picked[name] = library[name] end
  return picked
end

-- Results belong to the program alone, so a file's `print` is progress.
local function print_progress(...)
  local words = table.pack(...)
  for index = 1, words.n do words[index] = tostring(words[index]) end
  require("moontide.report").info(table.concat(words, "\t"))
end

local function check_reading(mode)
  if mode and not mode:find("^rb?$") then error("files can only be read here, not written", 3) end
end

local reading = {
  open = function(path, mode)
    check_reading(mode)
    return io.open(path, mode)
  end,
  lines = function(path, ...)
    if type(path) ~= "string" then error("a file name is expected", 2) end
    return io.lines(path, ...)
  end,
  type = io.type,
}

-- The metatable of strings leads to the string library that the program itself uses.
local function get_metatable(value)
  if type(value) == "string" then return nil end
  return getmetatable(value)
end

local safe

local function safe_names()
  if safe then return safe end
  safe = pick(_G, [[assert error ipairs next pairs pcall rawequal rawget rawlen rawset select setmetatable
    tonumber tostring type xpcall _VERSION]])
  safe.print, safe.getmetatable = print_progress, get_metatable
  for _, name in ipairs { "string", "table", "math", "utf8", "coroutine" } do
    safe[name] = read_only(_G[name], name)
  end
  safe.os = read_only(pick(os, "time date clock difftime getenv"), "os")
  safe.io = read_only(reading, "io")
  return safe
end

local function trusted_names()
  return setmetatable({ print = print_progress }, { __index = _G })
end

-- Loading ---------------------------------------------------------------------

-- "path:12: text" as place and text; Lua shortens a long path in it, so the
-- path is the one that was loaded.
local function syntax_fault(kind, path, problem)
  local line, text = problem:match("^.-:(%d+): (.*)$")
  fault.raise(kind, text or problem, { where = line and path .. ":" .. line or path })
end

-- After a tail call (`return require "x"`) no frame of the file is left to name the line.
local function runtime_fault(kind, path, problem)
  local where = caller.where() or path
  if fault.is(problem) then
    problem.where = problem.where or where
    return fault.of(problem)
  end
  local text = fault.words(problem):gsub("^[^\n]-:%d+: ", "", 1)
  return fault.new(kind, text, { where = where, traceback = debug.traceback(nil, 2) })
end

--- Compile the text of a file with the given globals.
---@param path string
---@param text string
---@param env table
---@return function
function Scope:compile(path, text, env)
  local chunk, problem = load(text, "@" .. path, "t", env)
  if not chunk then syntax_fault(self.kind, path, problem) end
  return chunk
end

--- Call a function of a file. An error in it is raised as a fault that names the place.
---@param path string
---@param fn function
---@return any ...  what the function returns
function Scope:call(path, fn, ...)
  local results = table.pack(xpcall(fn, function(problem) return runtime_fault(self.kind, path, problem) end, ...))
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

--- Run the text of a file with the given globals.
---@param path string
---@param text string
---@param env table
---@return any ...  what the file returns
function Scope:run(path, text, env)
  return self:call(path, self:compile(path, text, env))
end

--- Globals for one file: everything of the scope, and its own.
---@return table
function Scope:fresh()
  local env = setmetatable({}, { __index = self.names })
  env._G = env
  env.load = function(chunk, name, _, own) return load(chunk, name, "t", own or env) end
  return env
end

-- Helpers ---------------------------------------------------------------------

local pure_libraries = { lpeg = true, re = true, cjson = true, ["cjson.safe"] = true }

local function helper_paths(directory, name)
  local base = directory .. "/" .. name:gsub("%.", "/")
  return { base .. ".lua", base .. "/init.lua" }
end

local function read_helper(directory, name)
  local read = require("moontide.runtime.sys").read
  local paths = helper_paths(directory, name)
  for _, path in ipairs(paths) do
    local text = read(path)
    if text then return path, text end
  end
  fault.raise("revision", ('module "%s" not found'):format(name), {
    where = caller.where(), detail = "looked for " .. table.concat(paths, " and "),
  })
end

local function load_helper(scope, name)
  local path, text = read_helper(scope.directory, name)
  scope.loaded[name] = false
  local value = scope:run(path, text, scope:fresh())
  scope.loaded[name] = value == nil and true or value
  return scope.loaded[name]
end

local function requirer(scope, trusted)
  return function(name)
    if type(name) ~= "string" or not name:find("^[%w_][%w_.-]*$") or name:find("..", 1, true) then
      error(("bad module name %s"):format(tostring(name)), 2)
    end
    if scope.loaded[name] then return scope.loaded[name] end
    if scope.loaded[name] == false then error(('module "%s" requires itself'):format(name), 2) end
    if pure_libraries[name] or (trusted and package.preload[name]) then return require(name) end
    return load_helper(scope, name)
  end
end

-- `log "text"`, `log.info`, `log.warn`, `log.debug`: progress, on stderr.
local function new_log()
  local function to(name)
    return function(text) require("moontide.report")[name](tostring(text)) end
  end
  local log = { info = to "info", warn = to "warn", debug = to "verbose" }
  return setmetatable(log, { __call = function(_, text) log.info(text) end })
end

--- A scope: what all files loaded through it have in common.
---@param options { directory: string, kind?: string, trusted?: boolean }
---@param names table   further globals beside log and require, such as op and sql
---@return moontide.Scope
function environment.open(options, names)
  local scope = setmetatable({ directory = options.directory, kind = options.kind or "revision", loaded = {} }, Scope)
  local visible = setmetatable({}, { __index = options.trusted and trusted_names() or safe_names() })
  for name, value in pairs(names) do visible[name] = value end
  visible.require, visible.log = requirer(scope, options.trusted), new_log()
  scope.names = visible
  return scope
end

-- What every revision file sees beside the libraries.
local function revision_names(op, context)
  local value = require "moontide.value"
  return {
    op = op, context = context,
    sql = value.sql, null = value.null, array = value.array, json = value.json, bytea = value.bytea,
  }
end

--- The scope in which revisions run.
---@param config { directory: string, trusted: boolean }
---@param op table       the operations, bound to where they go
---@param context table
---@return moontide.Scope
function environment.running(config, op, context)
  return environment.open({ directory = config.directory, trusted = config.trusted }, revision_names(op, context))
end

-- Operations called while a file is only being looked at, outside of any function.
local function refuse_operation()
  fault.raise("revision", "operations belong inside upgrade(), downgrade() or change()", { where = caller.where() })
end

--- The scope for reading what a revision file says of itself, with no database in reach.
---@param config { directory: string, trusted: boolean, x: table }
---@return moontide.Scope
function environment.idle(config)
  local op = setmetatable({}, { __index = function() return refuse_operation end })
  return environment.running(config, op, { x = config.x })
end

return environment
