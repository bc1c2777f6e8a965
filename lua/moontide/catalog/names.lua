--- Names of the pieces that catalog queries have in common.
---
--- A query of this folder is a SELECT about relations, with `%s` where the condition
--- on the relation's oid goes: "= w.oid" for one, "= ANY (...)" for many. Each row says in
--- `relation` whose it is, so that one query can answer for a whole database. All numbers are text.

local names = {}

--- The names of the columns of a relation at the positions of an array, in its order, as JSON.
---@param relation string  SQL of the relation's oid
---@param positions string SQL of an array of attnum
---@return string
function names.columns(relation, positions)
  return ([[(SELECT json_agg(p.attname ORDER BY u.n) FROM unnest(%s) WITH ORDINALITY u(num, n)
    JOIN pg_attribute p ON p.attrelid = %s AND p.attnum = u.num)]]):format(positions, relation)
end

--- Options of a relation or a column as JSON: { name = text }; NULL without any.
---@param options string  SQL of a text[]
---@return string
function names.options(options)
  return ("CASE WHEN %s IS NOT NULL THEN (SELECT json_object_agg(o.option_name, o.option_value) "
    .. "FROM pg_options_to_table(%s) o) END"):format(options, options)
end

--- A catalog in FROM with columns that not every server has, as text: NULL where one is missing. There its name
--- is looked up outside of the subquery, and is found in the row in front of it.
---@param catalog string
---@param alias string
---@param ... string  columns
---@return string  the columns of the catalog under the alias, and these as alias.newer_COLUMN
function names.newer(catalog, alias, ...)
  local older, newer = {}, {}
  for i, column in ipairs { ... } do
    older[i], newer[i] = "NULL::text AS " .. column, (", %s::text AS newer_%s"):format(column, column)
  end
  return ("(SELECT %s) older CROSS JOIN LATERAL (SELECT g.*%s FROM %s g) %s")
    :format(table.concat(older, ", "), table.concat(newer), catalog, alias)
end

--- The name and the schema of an object as JSON; NULL where there is none.
---@param catalog string  the catalog, and
---@param prefix string   what its columns begin with
---@param oid string      SQL
---@return string
function names.object(catalog, prefix, oid)
  return ("(SELECT json_build_object('name', o.%sname, 'schema', s.nspname) FROM %s o "
    .. "JOIN pg_namespace s ON s.oid = o.%snamespace WHERE o.oid = %s)"):format(prefix, catalog, prefix, oid)
end

return names
