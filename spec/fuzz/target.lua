--- What is fuzzed: for each reader of text from outside, a function that gives it any
--- bytes. A fault is an answer; every other error is a bug.

require "moontide.op"
local config = require "moontide.config"
local environment = require "moontide.environment"
local fault = require "moontide.fault"
local repeatable = require "moontide.repeatable"
local revision = require "moontide.revision"
local revspec = require "moontide.revspec"
local scan = require "moontide.sql.scan"
local sqlfile = require "moontide.sqlfile"
local types = require "moontide.sql.type"
local url = require "moontide.url"

local target = {}

---@class spec.FuzzTarget
---@field run fun(text: string)   raises nothing but faults
---@field words string[]          tokens that mean something to the reader
---@field executes? boolean       the text is a program, whose time is its own affair

---@type table<string, spec.FuzzTarget>
target.list = {}

target.list.revspec = {
  words = { "@", ":", "+", "-", "head", "heads", "base", "current", "12", " ", "99999999999999999999" },
  run = function(text)
    revspec.parse(text)
    revspec.ends(text)
  end,
}

target.list.type = {
  words = { "(", ")", "[", "]", ",", ".", '"', "'", " ", "numeric", "timestamp", "with time zone", "interval", "year",
    "to", "second", "setof", "array", "double", "precision", "vector", "national", "character", "varying", "-1", "3" },
  run = function(text)
    local parsed, problem = types.parse(text)
    if not parsed then error(problem, 0) end
    assert(types.parse(parsed.text), "the canonical spelling is not understood: " .. parsed.text)
    types.check_known(parsed)
  end,
}

target.list.scan = {
  words = { "'", '"', "$$", "$a$", ";", "--", "\n", "/*", "*/", "(", ")", "\\", "E'", "U&'", "create function f ",
    "begin atomic ", " end ", " case ", "$1", "create index concurrently", "copy t from stdin", "é", "\0", "vacuum",
  },
  run = function(text)
    local from = 0
    for _, found in ipairs(scan.split(text)) do
      assert(found.offset > from and text:sub(found.offset, found.offset + #found.sql - 1) == found.sql)
      from = found.offset
      scan.command(found.sql)
      scan.transactional(found.sql)
      scan.is_transaction_control(found.sql)
      scan.modifies(found.sql)
      scan.parameters(found.sql)
      scan.substitute(found.sql, tostring)
    end
  end,
}

target.list.url = {
  words = { "://", "postgresql", "postgres+asyncpg", "@", ":", "/", "?", "&", "=", "%40", "%", "host=a:1",
    "ssl=require", "password=", "'", "\\", " ", "[::1]", "-pooler.", "neon.tech", "timeout=1e999", "schema=x" },
  run = function(text)
    url.mask(text)
    url.pooled(text)
    url.direct(text)
    url.normalise(url.normalise(text, { keywords = { host = true, port = true, sslmode = true } }), {})
  end,
}

target.list.sqlfile = {
  words = { "-- moontide: ", "revision=", "down_revision=", "\n-- upgrade\n", "\n-- downgrade\n", "\n-- verify\n", ", ",
    "+", '"', ";", "$$", "'", "/*", "*/", "\r\n", "-- requires: a, b\n", "select 1;", "--", "\n" },
  run = function(text)
    repeatable.new("a.sql", "a.sql", text)
    sqlfile.is_revision(text)
    local ok, problem = pcall(revision.read, "a.sql", text)
    sqlfile.functions("a.sql", text, {}, true)
    if not ok then error(problem, 0) end
  end,
}

-- A program that runs for ever is no bug of the reader.
local function limited(fn, ...)
  debug.sethook(function() fault.raise("timeout", "too long a program") end, "", 100000)
  local answer = table.pack(pcall(fn, ...))
  debug.sethook()
  if not answer[1] then error(answer[2], 0) end
  return table.unpack(answer, 2, answer.n)
end

local idle

target.list.revision = {
  executes = true,
  words = { "revision = ", '"a"', "down_revision = ", "nil", "{ 'a', \"b\" }", "branch_labels = ", "depends_on = ",
    "\n", "function upgrade() end\n", "--- doc\n", "--[[", "]]", "= {}", ";", "\\", "_G", "_ENV", "op.execute('x')" },
  run = function(text)
    idle = idle or environment.idle { directory = ".", trusted = false, x = {} }
    local rev = limited(revision.read, "a.lua", text, function() return idle end, true)
    assert(type(rev.doc) == "string" and type(rev.message) == "string" and type(rev.id) == "string")
  end,
}

local path

target.list.env = {
  executes = true,
  words = { "return { ", "}", "url = ", "'postgresql://a'", "version_locations = ", "{ 'a' }", "nil", "1", "true", ", ",
    "post_write_hooks", "hooks = ", "version_table = ", "context.x", "os.getenv('A')", "require 'x'", "lock_timeout = ",
    "'5s'", "\n", "--", "setmetatable({}, { __index = error })", "file_template = ", "'%%(rev)s'", "[1] = " },
  run = function(text)
    path = path or os.tmpname()
    local file <close> = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
    local settings = limited(config.load, { config = path })
    assert(settings.schema and settings.repeatable and #settings.version_locations > 0)
    local ok, problem = pcall(function() return settings.url end)
    if not ok then error(problem, 0) end
  end,
}

--- Names of the targets, sorted.
---@return string[]
function target.names()
  local names = {}
  for name in pairs(target.list) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Give bytes to a reader.
---@param name string
---@param text string
---@return string outcome   "ok", or the message of the fault
function target.try(name, text)
  local ok, problem = pcall(target.list[name].run, text)
  if ok then return "ok" end
  if fault.is(problem) and problem.kind ~= "internal" then return problem.message end
  error(("%s: %s\ninput: %q"):format(name, tostring(problem), text), 0)
end

--- What a caught target leaves behind.
function target.clean()
  if path then os.remove(path) end
end

return target
