--- What scripts (`moontide lua`) and the prompt (`moontide repl`) find as globals:
--- `op` and the connection of the environment. Each is made when its name is first
--- read, so a script that needs no database runs without one, and without env.lua.
---
--- Operations take effect at once, each by itself, as statements do in psql;
--- `op.transaction` or `begin`, `commit` and `rollback` hold several together.

local operation = require "moontide.operation"

local console = {}

---@class moontide.ConsoleSink : moontide.Sink
---@field transport moontide.Transport
local Sink = {}
Sink.__index = Sink

-- The statements of one operation are one transaction, unless a COPY or the
-- operation itself stands in the way.
local function send_all(transport, entries)
  for _, entry in ipairs(entries) do
    if entry.copy then transport:copy(entry) else transport:send(entry) end
  end
  transport:flush()
end

function Sink:run(o)
  local registration = operation.get(o.kind)
  local function ask(entry)
    entry.o = o
    return self.transport:read(entry)
  end
  if registration.read then return registration.read(o, ask) end
  local entries = operation.statements(o, self.transport.ctx)
  for _, entry in ipairs(entries) do entry.o = o end
  if operation.transactional(o) then send_all(self.transport, entries) else self.transport:alone(entries) end
end

function Sink:block(kind, fn)
  if kind == "autocommit" then return fn() end
  local db = self.transport.db
  db:exec("BEGIN")
  local _ <close> = setmetatable({}, { __close = function() db:rollback() end })
  local answer = fn()
  db:exec("COMMIT")
  return answer
end

local function new_op(app)
  local transport = require("moontide.transport.execute").new { db = app:connect(), settings = {} }
  return require("moontide.op").new(setmetatable({ transport = transport }, Sink))
end

local function statement(sql)
  return function(app) return function() app:connect():exec(sql) end end
end

local makers = {
  op = new_op,
  db = function(app) return app:connect() end,
  config = function(app) return app:config() end,
  sql = function() return require("moontide.value").sql end,
  null = function() return require("moontide.value").null end,
  begin = statement("BEGIN"),
  commit = statement("COMMIT"),
  rollback = statement("ROLLBACK"),
}

--- Give a table the names of the console; what it has already stays.
---@param environment table
---@param app moontide.App
---@param fallback? table  where other names are looked up
---@return table environment
function console.extend(environment, app, fallback)
  return setmetatable(environment, { __index = function(self, name)
    local make = makers[name]
    if not make then return fallback and fallback[name] end
    local value = make(app)
    rawset(self, name, value)
    return value
  end })
end

return console
