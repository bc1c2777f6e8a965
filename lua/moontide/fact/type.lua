--- Schemas, extensions and types: enums, domains, composite types and ranges.

local value = require "moontide.value"

local kind = { queries = {} }

kind.queries.schemas = [[
SELECT n.oid::bigint::text AS oid, n.nspname AS name, obj_description(n.oid, 'pg_namespace') AS comment
FROM pg_namespace n WHERE {schemas} AND n.nspname <> 'public' AND {free pg_namespace n.oid} ORDER BY 2]]

-- The schema is there in every database, and so is a comment.
kind.queries.public = [[
SELECT obj_description(n.oid, 'pg_namespace') AS comment FROM pg_namespace n WHERE n.nspname = 'public' AND {schemas}
  AND obj_description(n.oid, 'pg_namespace') <> 'standard public schema']]

kind.queries.extensions = [[
SELECT e.oid::bigint::text AS oid, e.extname AS name, n.nspname AS schema, a.comment AS standard,
  nullif(obj_description(e.oid, 'pg_extension'), a.comment) AS comment
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
  LEFT JOIN pg_available_extensions a ON a.name = e.extname
WHERE e.extname <> 'plpgsql' ORDER BY 2]]

local collation = [[(SELECT json_build_object('name', l.collname, 'schema', ln.nspname) FROM pg_collation l
    JOIN pg_namespace ln ON ln.oid = l.collnamespace WHERE l.oid = %s)]]

kind.queries.types = ([[
SELECT t.oid::bigint::text AS oid, t.typname AS name, n.nspname AS schema, t.typtype AS type,
  obj_description(t.oid, 'pg_type') AS comment,
  (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
  CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) WHEN 'r' THEN format_type(r.rngsubtype, NULL) END
    AS base,
  t.typnotnull AS not_null, CASE WHEN t.typtype = 'd' THEN coalesce(pg_get_expr(t.typdefaultbin, 0),
    quote_literal(t.typdefault)) END AS "default",
  CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation THEN {domain_collation}
    WHEN r.rngcollation <> s.typcollation THEN {range_collation} END AS collation,
  (SELECT json_agg(json_build_object('name', k.conname, 'text', pg_get_expr(k.conbin, 0), 'comment',
      obj_description(k.oid, 'pg_constraint'), 'not_valid', NOT k.convalidated) ORDER BY k.conname)
    FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c') AS checks,
  (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'comment', col_description(a.attrelid, a.attnum), 'collation', CASE WHEN a.attcollation <> q.typcollation
        THEN {attribute_collation} END) ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_type q ON q.oid = a.atttypid
    WHERE a.attrelid = t.typrelid AND t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped) AS attributes,
  (SELECT json_build_object('name', o.opcname, 'schema', on_.nspname) FROM pg_opclass o JOIN pg_namespace on_
    ON on_.oid = o.opcnamespace WHERE o.oid = r.rngsubopc AND NOT o.opcdefault) AS opclass,
  (SELECT json_build_object('name', p.proname, 'schema', pn.nspname) FROM pg_proc p JOIN pg_namespace pn
    ON pn.oid = p.pronamespace WHERE p.oid = r.rngcanonical) AS canonical,
  (SELECT json_build_object('name', p.proname, 'schema', pn.nspname) FROM pg_proc p JOIN pg_namespace pn
    ON pn.oid = p.pronamespace WHERE p.oid = r.rngsubdiff) AS difference,
  (SELECT m.typname FROM pg_type m WHERE m.oid = (to_jsonb(r) ->> 'rngmultitypid')::oid) AS multirange
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
  LEFT JOIN pg_type b ON b.oid = t.typbasetype LEFT JOIN pg_range r ON r.rngtypid = t.oid
  LEFT JOIN pg_type s ON s.oid = r.rngsubtype
WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND {schemas} AND {free pg_type t.oid}
ORDER BY n.nspname, t.typname]]):gsub("{domain_collation}", collation:format("t.typcollation"))
  :gsub("{range_collation}", collation:format("r.rngcollation"))
  :gsub("{attribute_collation}", collation:format("a.attcollation"))

--- { name =, schema = } as users write it.
local function object(found)
  if not found then return nil end
  return found.schema == "pg_catalog" and found.name or found
end

-- What the server can cast, beside to and from text.
kind.queries.casts = [[
SELECT json_object_agg(format_type(castsource, NULL) || ' > ' || format_type(casttarget, NULL), true) AS casts
FROM pg_cast WHERE castmethod <> 'i']]

local makers = {}

function makers.e(row) return "enum", { "create_enum", row.name, row.labels or {}, { schema = row.schema } } end

local function checks_of(row)
  local list = {}
  for i, c in ipairs(row.checks or {}) do
    list[i] = { c.text, name = c.name, comment = c.comment, not_valid = c.not_valid or nil }
  end
  return #list > 0 and list or nil
end

function makers.d(row)
  local options = { schema = row.schema, collation = object(row.collation), checks = checks_of(row),
    default = row.default and value.sql(row.default) }
  if row.not_null then options.nullable = false end
  return "domain", { "create_domain", row.name, row.base, options }
end

function makers.c(row)
  local list = {}
  for i, a in ipairs(row.attributes or {}) do
    list[i] = { a.name, a.type, comment = a.comment, collation = object(a.collation) }
  end
  return "type", { "create_type", row.name, list, { schema = row.schema } }
end

function makers.r(row)
  return "range type", { "create_range_type", row.name, row.base, { schema = row.schema,
    collation = object(row.collation), opclass = object(row.opclass), canonical = object(row.canonical),
    difference = object(row.difference), multirange = row.multirange } }
end

local drops = { enum = "drop_enum", domain = "drop_domain", type = "drop_type", ["range type"] = "drop_range_type" }

local function add_type(set, row)
  local name, call = makers[row.type](row)
  local fact = set:add { key = ("%s %s.%s"):format(name, row.schema, row.name), kind = name, call = call,
    oid = "pg_type:" .. row.oid, drop = { drops[name], row.name, { schema = row.schema } } }
  set:comment(fact, row.comment, name == "domain" and "domain" or "type", row.name, { schema = row.schema })
end

-- Without a comment of its own it has that which it came with.
local function add_extension(set, row)
  local fact = set:add { key = "extension " .. row.name, kind = "extension", oid = "pg_extension:" .. row.oid,
    call = { "create_extension", row.name, { schema = row.schema } }, drop = { "drop_extension", row.name } }
  set:comment(fact, row.comment, "extension", row.name, {})
  local comment = set.by_key["comment " .. fact.key]
  if comment then comment.drop = { "comment", "extension", row.name, row.standard or value.null } end
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  for _, row in ipairs(rows.schemas) do
    local fact = set:add { key = "schema " .. row.name, kind = "schema", oid = "pg_namespace:" .. row.oid,
      call = { "create_schema", row.name }, drop = { "drop_schema", row.name } }
    set:comment(fact, row.comment, "schema", row.name, {})
  end
  for _, row in ipairs(rows.public) do
    set:add { key = "comment schema public", kind = "comment", schema = "public",
      call = { "comment", "schema", "public", row.comment },
      drop = { "comment", "schema", "public", "standard public schema" } }
  end
  for _, row in ipairs(rows.extensions) do add_extension(set, row) end
  for _, row in ipairs(rows.types) do add_type(set, row) end
  set.casts = rows.casts[1].casts or {}
end

return kind
