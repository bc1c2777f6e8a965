--- What the catalog of a database says, as sorted lines of text that can be compared.

local code = require "spec.support.catalog_code"

local catalog = {}

local queries = {}

queries.tables = [[
  select format('table %s.%s kind=%s persistence=%s options=%s tablespace=%s am=%s partition=%s inherits=%s comment=%s',
    n.nspname, c.relname, c.relkind, c.relpersistence, c.reloptions, t.spcname, a.amname, pg_get_partkeydef(c.oid),
    (select string_agg(i.inhparent::regclass::text, ',' order by i.inhseqno) from pg_inherits i
      where i.inhrelid = c.oid),
    obj_description(c.oid, 'pg_class'))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_tablespace t on t.oid = c.reltablespace
    left join pg_am a on a.oid = c.relam
  where c.relkind in ('r', 'p') and n.nspname !~ '^pg_(catalog|toast)|information_schema']]

queries.columns = [[
  select format('column %s.%s.%s %s notnull=%s default=%s identity=%s generated=%s collation=%s storage=%s '
    'compression=%s statistics=%s options=%s sequence=%s comment=%s',
    n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, l.collname, a.attstorage,
    to_jsonb(a) ->> 'attcompression',   -- PostgreSQL 13 has none
    a.attstattarget,
    -- some servers keep a counter of their own among the options of every column
    (select array_agg(o order by o) from unnest(a.attoptions) o where o not like 'pg\_attver=%'),
    (select format('%s,%s,%s,%s,%s,%s', s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
      from pg_sequence s where a.attidentity <> '' and s.seqrelid =
        pg_get_serial_sequence(c.oid::regclass::text, a.attname)::regclass),
    col_description(c.oid, a.attnum))
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    left join pg_collation l on l.oid = a.attcollation
  where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    and n.nspname !~ '^pg_(catalog|toast)|information_schema']]

queries.constraints = [[
  select format('constraint %s.%s %s noinherit=%s', conrelid::regclass, conname, pg_get_constraintdef(oid),
    contype not in ('p', 'u', 'x') and connoinherit)   -- of no meaning for keys
  from pg_constraint where conrelid <> 0 and connamespace not in ('pg_catalog'::regnamespace,
    'information_schema'::regnamespace)]]

queries.indexes = [[
  select format('index %s valid=%s', pg_get_indexdef(i.indexrelid), i.indisvalid)
    || coalesce(' tablespace=' || t.spcname, '')
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_tablespace t on t.oid = c.reltablespace
  where n.nspname !~ '^pg_(catalog|toast)|information_schema']]

-- Privileges in an order of their own, whoever was given them first; those never touched as the server takes them.
local function privileges(acl, letter, owner)
  local known = ("coalesce(%s, acldefault('%s', %s))"):format(acl, letter, owner)
  return ("(select string_agg(item::text, ',' order by item::text) from unnest(%s) item)"):format(known)
end

queries.schemas = ([[
  select format('schema %s owner=%s acl=%s comment=%s', nspname, nspowner::regrole, {acl},
    obj_description(oid, 'pg_namespace'))
  from pg_namespace where nspname !~ '^pg_|^information_schema$']]):gsub("{acl}", privileges("nspacl", "n", "nspowner"))

-- Enums, domains, ranges and composite types, not the row types of tables.
queries.types = ([[
  select format('type %s %s owner=%s acl=%s comment=%s labels=%s base=%s notnull=%s default=%s collation=%s '
    'attributes=%s range=%s', t.oid::regtype, t.typtype, t.typowner::regrole, {acl}, obj_description(t.oid, 'pg_type'),
    (select array_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
    case when t.typtype = 'd' then format_type(t.typbasetype, t.typtypmod) end, t.typnotnull,
    pg_get_expr(t.typdefaultbin, 0),
    (select l.collname from pg_collation l where l.oid = t.typcollation),
    (select string_agg(format('%s %s collation=%s comment=%s', a.attname, format_type(a.atttypid, a.atttypmod),
        (select l.collname from pg_collation l where l.oid = a.attcollation), col_description(a.attrelid, a.attnum)),
        ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
    (select format('%s opclass=%s collation=%s canonical=%s subdiff=%s multirange=%s', r.rngsubtype::regtype,
        (select o.opcname from pg_opclass o where o.oid = r.rngsubopc),
        (select l.collname from pg_collation l where l.oid = r.rngcollation), r.rngcanonical, r.rngsubdiff,
        (to_jsonb(r) ->> 'rngmultitypid')::oid::regtype)
      from pg_range r where r.rngtypid = t.oid))
  from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
  where (t.typtype in ('e', 'd', 'r') or c.relkind = 'c') and n.nspname !~ '^pg_(catalog|toast)|information_schema'
    and not exists (select from pg_depend d where d.objid = t.oid and d.deptype = 'e')]])
  :gsub("{acl}", privileges("t.typacl", "T", "t.typowner"))

queries.domain_constraints = [[
  select format('domain constraint %s.%s %s comment=%s', contypid::regtype, conname, pg_get_constraintdef(oid),
    obj_description(oid, 'pg_constraint'))
  from pg_constraint where contypid <> 0 and connamespace not in ('pg_catalog'::regnamespace,
    'information_schema'::regnamespace)]]

-- The sequences of identity columns are told with their columns.
queries.sequences = ([[
  select format('sequence %s owner=%s acl=%s comment=%s persistence=%s type=%s %s,%s,%s,%s,%s,%s next=%s owned=%s',
    c.oid::regclass, c.relowner::regrole, {acl}, obj_description(c.oid, 'pg_class'), c.relpersistence,
    s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle,
    query_to_xml(format('select case when is_called then last_value + %s else last_value end from %s',
      s.seqincrement, c.oid::regclass), false, true, ''),
    (select format('%s.%s', d.refobjid::regclass, a.attname) from pg_depend d join pg_attribute a
      on a.attrelid = d.refobjid and a.attnum = d.refobjsubid where d.objid = c.oid and d.deptype = 'a'))
  from pg_class c join pg_sequence s on s.seqrelid = c.oid
  where not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('i', 'e'))]])
  :gsub("{acl}", privileges("c.relacl", "s", "c.relowner"))

queries.extensions = [[
  select format('extension %s schema=%s version=%s comment=%s', extname, extnamespace::regnamespace, extversion,
    obj_description(oid, 'pg_extension'))
  from pg_extension]]

local function united()
  local list = {}
  for _, query in pairs(code) do list[#list + 1] = query end
  for _, query in pairs(queries) do list[#list + 1] = query end
  return table.concat(list, "\nunion all\n")
end

local all = united()

--- The catalog's lines, sorted.
---@param conn table  a connection of moontide.runtime.pg
---@return string[]
function catalog.lines(conn)
  local lines = {}
  for i, row in ipairs(conn:exec("select format('%s', line) as line from (" .. all .. ") as everything(line)")) do
    lines[i] = row.line
  end
  table.sort(lines)
  return lines
end

--- The lines that one list has and another has not.
---@param new string[]
---@param old string[]
---@return string[]
function catalog.added(new, old)
  local known, added = {}, {}
  for _, line in ipairs(old) do known[line] = true end
  for _, line in ipairs(new) do
    if not known[line] then added[#added + 1] = line end
  end
  return added
end

return catalog
