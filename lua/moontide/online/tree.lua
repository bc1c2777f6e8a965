--- What the catalog says of a table and its partitions.

local probe = require "moontide.online.probe"

local tree = {}

local kind = "SELECT relkind::text AS kind FROM pg_class WHERE oid = %s"

--- The kind of a relation, as in pg_class; nil when there is nobody to ask, or no such relation.
---@param ask? fun(sql: string): table
---@return string?
function tree.kind(ask, schema, name)
  local row = ask and ask(kind:format(probe.relation(schema, name)))[1]
  return row and row.kind
end

local children = [[
SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'p' AS partitioned
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhparent = %s AND c.relkind IN ('r', 'p') ORDER BY 1, 2]]

--- The partitions of a table: { schema, name, partitioned }.
---@param ask fun(sql: string): table
---@return table[]
function tree.children(ask, schema, name)
  return ask(children:format(probe.relation(schema, name)))
end

return tree
