--- What a database has and a model cannot say: listed by kind and name, so that nobody
--- takes it for compared.

local unmodelled = { queries = {} }

local parts = {
  { "foreign table", "pg_class", "p", "p.relkind = 'f'", "relnamespace", "n.nspname || '.' || p.relname" },
  { "collation", "pg_collation", "p", "true", "collnamespace", "n.nspname || '.' || p.collname" },
  { "conversion", "pg_conversion", "p", "true", "connamespace", "n.nspname || '.' || p.conname" },
  { "operator", "pg_operator", "p", "true", "oprnamespace", "n.nspname || '.' || p.oprname || '(' || "
    .. "CASE p.oprleft WHEN 0 THEN 'NONE' ELSE format_type(p.oprleft, NULL) END || ', ' || "
    .. "format_type(p.oprright, NULL) || ')'" },
  { "operator class", "pg_opclass", "p", "true", "opcnamespace", "n.nspname || '.' || p.opcname" },
  { "operator family", "pg_opfamily", "p", "true", "opfnamespace", "n.nspname || '.' || p.opfname" },
  { "text search parser", "pg_ts_parser", "p", "true", "prsnamespace", "n.nspname || '.' || p.prsname" },
  { "text search template", "pg_ts_template", "p", "true", "tmplnamespace", "n.nspname || '.' || p.tmplname" },
  { "text search configuration", "pg_ts_config", "p", "true", "cfgnamespace", "n.nspname || '.' || p.cfgname" },
  { "text search dictionary", "pg_ts_dict", "p", "true", "dictnamespace", "n.nspname || '.' || p.dictname" },
  { "base type", "pg_type", "p", "(p.typtype = 'p' OR p.typtype = 'b' AND p.typelem = 0)", "typnamespace",
    "n.nspname || '.' || p.typname" },
}

local global = [[
SELECT 'event trigger' AS kind, evtname::text AS name FROM pg_event_trigger p WHERE {free pg_event_trigger p.oid}
UNION ALL SELECT 'publication of another role', pubname::text FROM pg_publication
  WHERE NOT pg_has_role(pubowner, 'USAGE')
UNION ALL SELECT 'cast', format_type(castsource, NULL) || ' AS ' || format_type(casttarget, NULL) FROM pg_cast p
  WHERE p.oid >= 16384 AND {free pg_cast p.oid}
UNION ALL SELECT 'language', lanname::text FROM pg_language p WHERE p.oid >= 16384 AND {free pg_language p.oid}
UNION ALL SELECT 'foreign data wrapper', fdwname::text FROM pg_foreign_data_wrapper p
  WHERE {free pg_foreign_data_wrapper p.oid}
UNION ALL SELECT 'transform', format_type(trftype, NULL) || ' for ' || l.lanname FROM pg_transform p
  JOIN pg_language l ON l.oid = p.trflang WHERE {free pg_transform p.oid}
UNION ALL SELECT 'user mapping', usename || ' on ' || srvname FROM pg_user_mappings
UNION ALL SELECT 'server', srvname::text FROM pg_foreign_server p WHERE {free pg_foreign_server p.oid}
UNION ALL SELECT 'access method', amname::text FROM pg_am p WHERE p.oid >= 16384 AND {free pg_am p.oid}
UNION ALL SELECT 'default privileges', pg_get_userbyid(d.defaclrole) || coalesce(' in ' || n.nspname, '')
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
UNION ALL SELECT 'default of a view', n.nspname || '.' || c.relname FROM pg_attrdef d JOIN pg_class c
  ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND {relations}
UNION ALL SELECT 'NOT NULL constraint', n.nspname || '.' || c.relname || '.' || k.conname
    || CASE WHEN NOT k.convalidated THEN ' (NOT VALID)' WHEN k.connoinherit THEN ' (NO INHERIT)' ELSE '' END
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
  WHERE k.contype = 'n' AND k.coninhcount = 0 AND (NOT k.convalidated OR k.connoinherit
      OR octet_length(c.relname || a.attname) < 53 AND k.conname <> c.relname || '_' || a.attname || '_not_null')
    AND {relations} AND {free pg_class c.oid}
UNION ALL SELECT 'invalid index', n.nspname || '.' || c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND {relations}
UNION ALL SELECT 'owner', n.nspname || '.' || c.relname || ' (' || pg_get_userbyid(c.relowner) || ')'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) AND {relations} AND {free pg_class c.oid}
UNION ALL SELECT 'owner', n.nspname || '.' || p.proname || ' (' || pg_get_userbyid(p.proowner) || ')'
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.proowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) AND {schemas} AND {free pg_proc p.oid}
UNION ALL SELECT 'owner', n.nspname || '.' || p.stxname || ' (' || pg_get_userbyid(p.stxowner) || ')'
  FROM pg_statistic_ext p JOIN pg_namespace n ON n.oid = p.stxnamespace
  WHERE p.stxowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) AND {schemas}
  AND {free pg_statistic_ext p.oid}
UNION ALL SELECT 'owner', n.nspname || '.' || p.typname || ' (' || pg_get_userbyid(p.typowner) || ')'
  FROM pg_type p JOIN pg_namespace n ON n.oid = p.typnamespace LEFT JOIN pg_class c ON c.oid = p.typrelid
  WHERE (p.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
  AND p.typowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) AND {schemas} AND {free pg_type p.oid}
UNION ALL SELECT 'owner', n.nspname || ' (' || pg_get_userbyid(n.nspowner) || ')' FROM pg_namespace n
  WHERE n.nspname <> 'public' AND n.nspowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user) AND {schemas}
  AND {free pg_namespace n.oid}]]

local function united()
  local list = { global }
  for _, part in ipairs(parts) do
    local kind, catalog, alias, condition, namespace, name = table.unpack(part)
    list[#list + 1] = ("SELECT '%s', %s FROM %s %s JOIN pg_namespace n ON n.oid = %s.%s WHERE %s AND {schemas} AND "
      .. "{free %s %s.oid}"):format(kind, name, catalog, alias, alias, namespace, condition, catalog, alias)
  end
  return table.concat(list, "\nUNION ALL\n") .. "\nORDER BY 1, 2"
end

unmodelled.queries.unmodelled = united()

--- Add what the rows say, but for kinds that a plugin models.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function unmodelled.add(set, rows)
  local is_modelled = require("moontide.fact.arrange").has
  for _, row in ipairs(rows.unmodelled) do
    if not is_modelled(row.kind) then set.unmodelled[#set.unmodelled + 1] = row end
  end
  table.sort(set.unmodelled, function(a, b)
    if a.kind ~= b.kind then return a.kind < b.kind end
    return a.name < b.name
  end)
end

return unmodelled
