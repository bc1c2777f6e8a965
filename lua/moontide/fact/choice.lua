--- The part of a set that `include` of env.lua chooses. An object that is left out takes
--- its parts with it, and a table the sequences of its columns.

local include = require "moontide.include"
local sets = require "moontide.fact.set"

local choice = {}

local function options_of(call)
  local last = call[#call]
  return type(last) == "table" and last or {}
end

-- What a call says of an object: operations have its name first, those of parts the table second.
local function described(fact)
  local call, options = fact.call, options_of(fact.call)
  local object = { kind = fact.kind, name = fact.name or call[2], schema = fact.schema or options.schema,
    table = fact.table }
  if fact.kind == "comment" then
    object.name, object.table = call[3], type(call[5]) == "table" and call[5].table or nil
  elseif fact.parent and not object.table then
    object.table = type(call[3]) == "string" and call[3] or nil
  end
  if fact.kind == "schema" then object.schema = object.name end
  return object
end

-- The table of the column that owns a sequence.
local function owner_key(set, fact)
  local owner = fact.kind == "sequence" and set.by_key["owner of " .. fact.key]
  local column = owner and owner.column
  return column and ("table %s.%s"):format(column.schema, column.table)
end

local function chooser(set, rule, side)
  local known = {}
  local function takes(key)
    local fact = set.by_key[key]
    if not fact then return true end
    if known[key] == nil then
      known[key] = true   -- what stands in a circle is no reason
      local object, owner = described(fact), owner_key(set, fact)
      object.reflected, object.both = side.reflected, side.other and side.other.by_key[key] ~= nil
      known[key] = not (side.owned and object.both == false and side.owned(object))
        and (not fact.parent or takes(fact.parent)) and (not owner or takes(owner))
        and include.takes(rule, object, fact.parent ~= nil)
    end
    return known[key]
  end
  return takes
end

local function copy_edges(set, chosen)
  for from, edges in pairs(set.edges) do
    for to, edge in pairs(chosen.by_key[from] and edges or {}) do
      if chosen.by_key[to] then
        chosen.edges[from] = chosen.edges[from] or {}
        chosen.edges[from][to] = edge
      end
    end
  end
end

local in_no_schema = {}
for _, kind in ipairs { "event trigger", "publication of another role", "cast", "language", "foreign data wrapper",
  "server", "access method", "default privileges", "transform", "user mapping" } do
  in_no_schema[kind] = true
end

-- What is not modelled has a name only, written in full.
local function copy_unmodelled(set, chosen, rule, side)
  for _, item in ipairs(set.unmodelled) do
    local schema, name = item.name:match("^(.-)%.(.*)$")
    if in_no_schema[item.kind] or not schema then schema, name = nil, item.name end
    local object = { kind = item.kind, name = name:gsub(" ?%(.*", ""), schema = schema, reflected = side.reflected }
    if include.takes(rule, object) then chosen.unmodelled[#chosen.unmodelled + 1] = item end
  end
end

--- What is chosen of a set; it knows the `whole` of which it is a part.
---@param set moontide.FactSet
---@param rule? moontide.Include
---@param side { reflected: boolean, other?: moontide.FactSet, owned?: fun(object: moontide.IncludeObject): boolean }
---  owned: whether an object that the other side has not is left out
---@return moontide.FactSet
function choice.of(set, rule, side)
  if not rule and not side.owned then return set end
  rule = rule or { except = {} }
  local chosen, takes = sets.new(), chooser(set, rule, side)
  for _, fact in ipairs(set.list) do
    if takes(fact.key) then chosen:add(fact) end
  end
  copy_edges(set, chosen)
  copy_unmodelled(set, chosen, rule, side)
  chosen.whole = set
  return chosen
end

return choice
