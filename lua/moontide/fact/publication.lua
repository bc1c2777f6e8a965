--- Publications that the role may change; those of others are listed only.

local publication = require "moontide.object.publication"

local kind = { queries = {} }

-- Those that are there have other names while declarations are built.
local found = [[
SELECT w.oid::bigint::text AS oid, w.name, w.comment, x.* FROM (SELECT p.oid, p.pubname AS name,
    obj_description(p.oid, 'pg_publication') AS comment FROM pg_publication p
  WHERE pg_has_role(p.pubowner, 'USAGE') AND p.pubname !~ '^moontide aside \d+$'
    AND {free pg_publication p.oid}) w CROSS JOIN LATERAL (%s) x ORDER BY w.name]]

--- The statement of a version of the server.
---@param version integer
---@return string
function kind.queries.publications(version)
  return (found:gsub("%%s", function() return publication.describe(version) end))
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  for _, row in ipairs(rows.publications) do
    local definition = publication.definition(row)
    if definition.tables and #definition.tables == 0 then definition.tables = nil end
    local fact = set:add { key = "publication " .. row.name, kind = "publication", oid = "pg_publication:" .. row.oid,
      call = { "create_publication", row.name, definition }, drop = { "drop_publication", row.name } }
    set:comment(fact, row.comment, "publication", row.name, {})
  end
end

return kind
