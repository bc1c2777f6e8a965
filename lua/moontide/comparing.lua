--- The two sides of a comparison: live databases, models, SQL files.

local connecting = require "moontide.connecting"
local fault = require "moontide.fault"
local reading = require "moontide.reading"

---@class moontide.Comparing
---@field app moontide.App
---@field scratch_url? string
---@field connections table<string, moontide.Db>
---@field owned? fun(object: moontide.IncludeObject): boolean  what repeatable files make of a live database
local Comparing = {}
Comparing.__index = Comparing

local comparing = {}

--- Begin to compare.
---@param app moontide.App
---@param scratch_url? string  where declarations are built; default: beside the live database
---@return moontide.Comparing
function comparing.new(app, scratch_url)
  return setmetatable({ app = app, scratch_url = scratch_url, connections = {} }, Comparing)
end

local function is_url(text) return text:find("^%w[%w+]*://") ~= nil or text:find("^%l+=") ~= nil end

local function ready(given)
  local url = require "moontide.url"
  return (url.secured((url.normalise(given, { keywords = require("moontide.db").keywords() }))))
end

--- A connection to a database by its URL, the environment's own without one.
---@param given? string
---@return moontide.Db
function Comparing:connect(given)
  local config = self.app:config()
  local name = given or config.url
  if not self.connections[name] then
    local url = given and ready(given) or config.url
    self.connections[name] = connecting.connect { url = url, connect_timeout = config.connect_timeout }
  end
  return self.connections[name]
end

local function read_text(path)
  local text, problem = require("moontide.runtime.sys").read(path)
  if not text then fault.raise("file", ('could not read "%s": %s'):format(path, problem)) end
  return text
end

-- What makes the declarations of a file; of a model also whether they say just what a database has.
local function declared(self, text, live)
  local scratch, known = require "moontide.scratch", require "moontide.model.known"
  if text:find("%.sql$") then
    return function() return scratch.of_sql(text, read_text(text)) end
  elseif text:find("%.lua$") then
    local there = live and known.new(live)
    local list, renames = require("moontide.model").load(text, self.app:config(), there)
    return function() return scratch.of_models(known.operations(list)) end, there and there:is_all(list), renames
  end
  return function() return require("moontide.staging").declared(self.app, text) end
end

--- The facts of one side, whole.
---@param text? string  a URL, a model file, an SQL file; the live database of the environment without one
---@return moontide.FactSet
---@return boolean reflected  it is that of a live database
function Comparing:read(text)
  require "moontide.op"
  local config = self.app:config()
  if not text or is_url(text) then return reading.live(self:connect(text), config), true end
  return self:build(declared(self, text)()), false
end

--- What env.lua includes of one side.
---@param set moontide.FactSet
---@param is_reflected boolean
---@param other? moontide.FactSet  the other side, whole
---@return moontide.FactSet
function Comparing:narrowed(set, is_reflected, other)
  return require("moontide.fact.choice").of(set, reading.rule(self.app:config()), { reflected = is_reflected,
    other = other, owned = is_reflected and self.owned or nil })
end

--- The two sides of a comparison, as far as env.lua includes them.
---@param a? string  as `read` takes it
---@param b? string
---@return moontide.FactSet
---@return moontide.FactSet
function Comparing:sides(a, b)
  local from, from_reflected = self:read(a)
  local to, to_reflected = self:read(b)
  return self:narrowed(from, from_reflected, to), self:narrowed(to, to_reflected, from)
end

--- What the server makes of declarations.
---@param found moontide.Declared
---@return moontide.FactSet
function Comparing:build(found)
  local db = self:connect(self.scratch_url)
  return require("moontide.scratch").read(db, found, reading.scratch_scope(self.app:config()))
end

--- The live database and what it should be.
---@param wanted string  a URL, a model file or an SQL file
---@return moontide.FactSet live
---@return moontide.FactSet wanted
---@return moontide.Rename[] declared
function Comparing:pair(wanted)
  local owned, search_path = require "moontide.repeatable.owned", self.app:config().search_path
  self.owned = owned.test(owned.of(self.app), search_path)
  if is_url(wanted) then
    local live, there = self:sides(nil, wanted)
    return live, there, {}
  end
  local live = self:read()
  local chosen = self:narrowed(live, true)
  local found, is_same, renames = declared(self, wanted, chosen)
  if is_same then return chosen, chosen, {} end
  local there = self:build(found())
  require("moontide.fact.privilege").assume(live, there)
  return self:narrowed(live, true, there), self:narrowed(there, false, live), renames or {}
end

--- The way from the live database to what it should be.
---@param wanted string
---@param ask? fun(question: string): boolean  about what may have another name now
---@return moontide.Way
function Comparing:way(wanted, ask)
  local live, there, declared_renames = self:pair(wanted)
  local from, renamed = require("moontide.renaming").settle(self, live, there, declared_renames, ask)
  return require("moontide.diff.way").new(from, there, renamed)
end

--- What the environment should have: `--from`, or its models.
---@param from? string
---@return string
function Comparing:wanted(from)
  local path = from or self.app:config().models
  if path then return path end
  fault.raise("config", "there are no models", {
    hint = 'Set models = "models.lua" in env.lua (`moontide reflect -o` writes one), or give --from.',
  })
end

function Comparing:close()
  for _, db in pairs(self.connections) do db:close() end
end
Comparing.__close = Comparing.close

return comparing
