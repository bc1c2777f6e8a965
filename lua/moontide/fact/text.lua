--- Facts as the text of a model file.

local arrange = require "moontide.fact.arrange"
local model = require "moontide.model"
local sets = require "moontide.fact.set"
local source = require "moontide.source"

local text = {}

local head = [[
-- What the database has, as %s printed it: the models of these migrations.
-- Objects stand after what they need; a foreign key may refer to a later table.
]]

local function entries(set) return arrange.calls(set, arrange.order(set), {}, { owners = true }) end

--- What creates everything in a set.
---@param set moontide.FactSet
---@return table[] calls
function text.calls(set)
  local list = {}
  for i, entry in ipairs(entries(set)) do list[i] = entry.call end
  return list
end

-- The body of a table in a call is what the operation would write, so none is built.
local function source_of(call)
  if call[1] ~= "create_table" then return model.source(sets.operation(call)) end
  return model.declaration(call[1], source.block(table.unpack(call)))
end

--- The declarations of everything in a set: a list of { kind, key, source }.
---@param set moontide.FactSet
---@return { kind: string, key: string, source: string }[]
function text.declarations(set)
  local list = {}
  for i, entry in ipairs(entries(set)) do
    list[i] = { kind = entry.fact.kind, key = entry.fact.key, source = source_of(entry.call) }
  end
  return list
end

local function is_block(item) return item.source:find("\n", 1, true) ~= nil end

-- Objects of several lines stand apart, and so do different kinds.
local function join(list)
  local lines, last = {}, nil
  for _, item in ipairs(list) do
    local is_apart = not last or is_block(item) or is_block(last) or item.kind ~= last.kind
    if is_apart then lines[#lines + 1] = "" end
    lines[#lines + 1], last = item.source, item
  end
  return table.concat(lines, "\n")
end

local function unmodelled_lines(set)
  if #set.unmodelled == 0 then return "" end
  local lines = { "", "", "-- Not modelled, and so neither compared nor changed:" }
  for _, item in ipairs(set.unmodelled) do
    lines[#lines + 1] = ("--   %s %s"):format(item.kind, (item.name:gsub("%c", "?")))
  end
  return table.concat(lines, "\n")
end

--- A set as the text of a model file.
---@param set moontide.FactSet
---@return string  without the last line end
function text.file(set)
  return head:format("`moontide reflect`") .. join(text.declarations(set)) .. unmodelled_lines(set)
end

return text
