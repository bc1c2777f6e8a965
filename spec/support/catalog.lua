--- What the catalog of a database says, as sorted lines of text that can be compared.

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
    pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, l.collname, a.attstorage, a.attcompression,
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
    connoinherit)
  from pg_constraint where conrelid <> 0 and connamespace not in ('pg_catalog'::regnamespace,
    'information_schema'::regnamespace)]]

queries.indexes = [[
  select format('index %s valid=%s', pg_get_indexdef(i.indexrelid), i.indisvalid)
    || coalesce(' tablespace=' || t.spcname, '')
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_tablespace t on t.oid = c.reltablespace
  where n.nspname !~ '^pg_(catalog|toast)|information_schema']]

local all = table.concat({ queries.tables, queries.columns, queries.constraints, queries.indexes }, "\nunion all\n")

--- The catalog's lines, sorted: tables, columns, constraints, indexes.
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
