--- Definitions as the catalog prints them, with every name qualified: they must mean
--- the same later, under whatever search path.
---
--- The search path is what the server prints names by. It is emptied and put back
--- within one query, so that nothing is left behind whether or not a transaction is
--- open; the object itself is looked up before that, under the path of the user.

local json = require "moontide.sql.json"

local lookup = {}

-- OFFSET 0 keeps each step a step of its own: they are evaluated in the order of their references.
local template = [[
SELECT row_to_json(d)::text AS found, set_config('search_path', w.path, true)
FROM (SELECT (%s)::oid AS oid, current_setting('search_path') AS path OFFSET 0) w
CROSS JOIN LATERAL (SELECT set_config('search_path', 'pg_catalog', true) AS quiet WHERE w.oid IS NOT NULL OFFSET 0) s
LEFT JOIN LATERAL (SELECT x.* FROM (%s) x WHERE s.quiet IS NOT NULL OFFSET 0) d ON true]]

--- One row about an object; NULL fields are absent, arrays are lists, oids should be read as text.
---@param query fun(sql: string): table
---@param oid string     SQL that answers the object's oid, or NULL when there is none
---@param describe string  a SELECT of one row, in which w.oid is the object
---@return table?  nil when there is no such object
function lookup.row(query, oid, describe)
  local found = query(template:format(oid, describe))[1]
  if not found or not found.found then return nil end
  return json.document(found.found)
end

return lookup
