--- What a command is given: the global options, and the configuration, revisions
--- and connection of the environment, each read when it is first asked for.

---@class moontide.App
---@field args table   the global options: config, url, name, x, yes, quiet, verbose, json, color, traceback
local App = {}
App.__index = App

local app = {}

--- Make the app of one call of the program.
---@param globals table
---@return moontide.App
function app.new(globals) return setmetatable({ args = globals }, App) end

-- env.lua, read and checked by itself: before it is known which target it is for.
local function read(self)
  self.read_config = self.read_config or require("moontide.config").read(self.args)
  return self.read_config
end

--- The checked configuration.
---@return table
function App:config()
  self.loaded_config = self.loaded_config or require("moontide.config").load(self.args, read(self))
  return self.loaded_config
end

--- Names of the targets that a command of all targets is for; nil when it is for one database.
---@return string[]? names
---@return table values  the settings of env.lua that are for all targets
function App:targets()
  local found = read(self)
  local names = require("moontide.config").selected(self.args, found)
  if names and #names == 1 then self.args.name, names = names, nil end
  return names, found.values
end

--- The revision files: { graph, revisions }. The first call decides about `check`.
---@param options? { check?: boolean }  check: compile every file, to find syntax errors
---@return table
function App:script(options)
  self.loaded_script = self.loaded_script or require("moontide.script").open(self:config(), options)
  return self.loaded_script
end

--- The graph of the revisions.
---@param options? { check?: boolean }
---@return table
function App:graph(options) return self:script(options).graph end

--- A look at the database: a session without the lock that creates nothing.
---@return moontide.Session
function App:look()
  self.looking = self.looking or require("moontide.session").look(self:config())
  return self.looking
end

--- A connection to the database.
---@return moontide.Db
function App:connect() return self:look().db end

--- Another connection for a look, when the one there was is lost.
---@return moontide.Db
function App:reconnect() return self:look():renew(self:config()) end

--- The version rows of the database, sorted; none where there is no version table.
---@return string[]
function App:applied() return self:look().state.rows end

--- Close what was opened.
function App:close()
  if self.looking then self.looking:close() end
end
App.__close = App.close

return app
