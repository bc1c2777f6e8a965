--- Databases of their own for specs of models: made from SQL or from a model, and compared by their catalogs.

local catalog = require "spec.support.catalog"
local model = require "moontide.model"
local operation = require "moontide.operation"
local pg = require "moontide.runtime.pg"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local models = {}

--- A database in which a script has been run.
---@param sql? string
---@param cluster? spec.Cluster  default: the shared one
---@return string url
function models.database(sql, cluster)
  local url = (cluster or server.shared()):database()
  if sql then
    local conn <close> = pg.connect(url)
    conn:script(sql)
  end
  return url
end

--- A database that is built from the text of a model file.
---@param text string
---@return string url
function models.built(text)
  local path, url = tmp.name("model") .. ".lua", server.database()
  shell.write(path, text)
  local conn <close> = pg.connect(url)
  for _, o in ipairs(model.operations(model.load(path, {}))) do
    for _, statement in ipairs(operation.statements(o)) do conn:exec(statement.sql) end
  end
  return url
end

--- What the catalog of a database says; counters of sequences are data, and names of NOT NULL are not modelled.
---@param url string
---@return string[]
function models.catalog(url)
  local conn <close> = pg.connect(url)
  local lines = catalog.lines(conn)
  for i, line in ipairs(lines) do
    line = line:gsub(" next=.- owned=", " owned=")
    lines[i] = line:gsub("^(constraint .-)%.[^.]+( NOT NULL .+ noinherit=)", "%1%2")
  end
  table.sort(lines)
  return lines
end

return models
