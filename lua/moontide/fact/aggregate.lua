--- Aggregates.

local aggregate = require "moontide.object.aggregate"

local kind = { queries = {} }

kind.queries.aggregates = [[
SELECT w.name, w.schema, w.types, w.comment, x.*
FROM (SELECT p.oid, p.proname AS name, n.nspname AS schema, obj_description(p.oid, 'pg_proc') AS comment,
    (SELECT json_agg(format_type(t, NULL) ORDER BY i) FROM unnest(p.proargtypes) WITH ORDINALITY u(t, i)) AS types
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prokind = 'a' AND {schemas} AND {free pg_proc p.oid}) w
  CROSS JOIN LATERAL (]] .. aggregate.describe .. [[) x ORDER BY w.schema, w.name, w.types::text]]

-- What is the server's own needs no schema.
local function plain(definition)
  for key, field in pairs(definition) do
    if type(field) == "table" and field.schema == "pg_catalog" then definition[key] = field.name end
  end
  return definition
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  for _, row in ipairs(rows.aggregates) do
    local types, definition = row.types or {}, plain(aggregate.definition(row))
    definition.schema = row.schema
    local fact = set:add { key = ("aggregate %s.%s(%s)"):format(row.schema, row.name, table.concat(types, ", ")),
      kind = "aggregate", oid = "pg_proc:" .. row.oid, types = types,
      call = { "create_aggregate", row.name, definition },
      drop = { "drop_aggregate", row.name,
        { schema = row.schema, args = definition.args, order_by = definition.order_by } } }
    set:comment(fact, row.comment, "aggregate", row.name, { schema = row.schema, arguments = types })
  end
end

return kind
