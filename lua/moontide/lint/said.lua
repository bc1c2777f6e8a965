--- Names as findings write them.

local said = {}

--- A name in double quotes.
---@param name? string
---@return string
function said.name(name) return ('"%s"'):format(name or "?") end

--- A relation, with its schema where it was given.
---@param relation? { schema?: string, name: string }
---@return string
function said.relation(relation)
  if not relation then return "the table" end
  return said.name(relation.schema and relation.schema .. "." .. relation.name or relation.name)
end

return said
