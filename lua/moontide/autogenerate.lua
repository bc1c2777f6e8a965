--- A revision from what differs between the database and its models: the operations of
--- both directions as text, and what there is to tell about them.

local comparing = require "moontide.comparing"
local fault = require "moontide.fault"
local json = require "moontide.json"
local listing = require "moontide.diff.listing"
local operation = require "moontide.operation"
local report = require "moontide.report"
local summary = require "moontide.diff.summary"

---@class moontide.Generated
---@field upgrade string      the body of the function or of the section
---@field downgrade string
---@field document table      what JSON has beside the revision

local autogenerate = {}

-- Standing --------------------------------------------------------------------

local function words(ids) return #ids > 0 and table.concat(ids, ", ") or "no revision" end

local function check_standing(app)
  local graph, rows = app:graph(), app:applied()
  if require("moontide.plan").is_at_heads(graph, rows) then return end
  fault.raise("revision", "Target database is not up to date", {
    detail = ("It is at %s; the files lead to %s."):format(words(rows), words(graph.heads)),
    hint = "Run `moontide upgrade heads` first; `moontide stamp heads` where it has everything already.",
  })
end

local function refuse_impossible(list)
  local lines = {}
  for i, difference in ipairs(list) do lines[i] = ("%s: %s"):format(difference.fact.key, difference.impossible) end
  fault.raise("found", "there are differences that cannot be written as operations", {
    detail = table.concat(lines, "\n"),
    hint = "Write a revision by hand for these, apply it, and run the command again. Nothing was written.",
  })
end

-- Text ------------------------------------------------------------------------

-- Under `safe = "online"` a column that rewrites its table is refused, unless it is said to be meant.
local function settle_online(o, config, query)
  if config.safe ~= "online" or o.kind ~= "add_column" then return nil end
  local ok, problem = pcall(require("moontide.online.column").check, o, query)
  if ok then return nil end
  o.online = false
  return fault.of(problem).message:gsub("^add_column: ", "")
end

local function entries(list, remarks, write)
  local lines, last_block = {}, false
  for i, o in ipairs(list) do
    local said, text = remarks(o), write(o)
    local is_block = text:find("\n", 1, true) ~= nil
    if i > 1 and (is_block or last_block) then lines[#lines + 1] = "" end
    for _, remark in ipairs(said) do lines[#lines + 1] = "-- " .. remark end
    lines[#lines + 1], last_block = text, is_block
  end
  return table.concat(lines, "\n")
end

local function as_sql(context)
  return function(o)
    local lines = {}
    for i, statement in ipairs(operation.statements(o, context)) do lines[i] = statement.sql .. ";" end
    return table.concat(lines, "\n")
  end
end

local function body(app, way, options, db)
  local config = app:config()
  local write = options.sql and as_sql { server_version = db:server_version() } or operation.source
  local function query(sql) return db:exec(sql) end
  local function remarks_of(is_upgrade)
    return function(o)
      local list = { is_upgrade and operation.destructive(o) and "destructive: " .. operation.destructive(o) or nil }
      local slow = not options.sql and settle_online(o, config, query)
      if slow then list[#list + 1] = "not online: " .. slow end
      return list
    end
  end
  return entries(way.there, remarks_of(true), write), entries(way.back, remarks_of(false), write)
end

-- Telling ---------------------------------------------------------------------

local function destructions(way)
  local list = {}
  for _, o in ipairs(way.there) do list[#list + 1] = operation.destructive(o) end
  return list
end

local function document(way)
  local detected, unmodelled = {}, {}
  for i, found in ipairs(summary.of(way)) do detected[i] = found end
  for i, item in ipairs(way.found.from.unmodelled) do unmodelled[i] = { kind = item.kind, name = item.name } end
  return { detected = json.array(detected), destructive = json.array(destructions(way)),
    not_modelled = json.array(unmodelled) }
end

local function tell(way, told)
  listing.warn_unmodelled(way.found.from)
  for _, found in ipairs(told.detected) do report.info("Detected " .. found.text) end
end

--- Say where the new file destroys data: in its lines as they are now, formatters included.
---@param path string
---@param generated moontide.Generated
function autogenerate.warn(path, generated)
  if #generated.document.destructive == 0 then return end
  local text, number, lines = require("moontide.runtime.sys").read(path) or "", 0, {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local words_of_line = line:match("^%s*%-%- destructive: (.*)$")
    if words_of_line then lines[#lines + 1] = ("%s:%d: %s"):format(path, number + 1, words_of_line) end
  end
  if not lines[1] then lines = generated.document.destructive end
  report.warn("the new revision destroys data", { detail = table.concat(lines, "\n"),
    hint = "Read it before it is applied; `moontide upgrade` asks, as confirm in env.lua says." })
end

local function nothing(detected, text)
  if report.is_json() then
    report.json { revision = json.null, path = json.null, detected = detected }
  end
  report.info(text)
end

-- What the hooks make of both directions; whether anything is left.
local function revised(app, way, message)
  if way:is_empty() then return false end
  local proposal, config = require "moontide.proposal", app:config()
  way.there = proposal.of(config, way.there, "upgrade", message)
  way.back = proposal.of(config, way.back, "downgrade", message)
  return #way.there + #way.back > 0
end

--- Compare, and write the body of a revision; nil when nothing differs.
---@param app moontide.App
---@param options { from?: string, scratch?: string, sql?: boolean, message?: string }
---@return moontide.Generated?
function autogenerate.generate(app, options)
  local sides <close> = comparing.new(app, options.scratch)
  local wanted = sides:wanted(options.from)
  check_standing(app)
  local way = sides:way(wanted, require("moontide.ask").people())
  if #way.impossible > 0 then refuse_impossible(way.impossible) end
  local is_left = revised(app, way, options.message)
  local told = document(way)
  tell(way, told)
  if way:is_empty() then return nothing(told.detected, "No changes detected: nothing was written") end
  if not is_left then return nothing(told.detected, "The hooks left no operation: nothing was written") end
  local upgrade, downgrade = body(app, way, options, sides:connect())
  return { upgrade = upgrade, downgrade = downgrade, document = told }
end

return autogenerate
