--- Functions and procedures.

local routine = require "moontide.object.routine"

local kind = { queries = {} }

kind.queries.routines = [[
SELECT w.name, w.schema, w.prokind, w.signature, w.types, w.comment, x.*
FROM (SELECT p.oid, p.proname AS name, n.nspname AS schema, p.prokind,
    pg_get_function_identity_arguments(p.oid) AS signature,
    (SELECT json_agg(format_type(t, NULL) ORDER BY i) FROM unnest(p.proargtypes) WITH ORDINALITY u(t, i)) AS types,
    obj_description(p.oid, 'pg_proc') AS comment
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prokind IN ('f', 'w', 'p') AND {schemas} AND {free pg_proc p.oid}) w
  CROSS JOIN LATERAL (]] .. routine.describe:format("'f', 'w', 'p'") .. [[) x
ORDER BY w.schema, w.name, w.signature]]

local function create_call(row, word)
  local definition = routine.write(routine.definition(row, {}))
  definition.schema = row.schema
  if word == "procedure" then definition.returns = nil end
  return { "create_" .. word, row.name, definition }
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  for _, row in ipairs(rows.routines) do
    local word = row.prokind == "p" and "procedure" or "function"
    local types = row.types or {}
    local fact = set:add { key = ("%s %s.%s(%s)"):format(word, row.schema, row.name, table.concat(types, ", ")),
      kind = word, oid = "pg_proc:" .. row.oid, call = create_call(row, word),
      drop = { "drop_" .. word, row.name, { schema = row.schema, args = row.signature } } }
    set:comment(fact, row.comment, word, row.name, { schema = row.schema, arguments = types })
  end
end

return kind
