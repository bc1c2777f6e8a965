--- What hangs on a table and goes with it, as the statements that bring it back:
--- owner, privileges, comments, settings, statistics, triggers, rules, policies.
---
--- A row is { rank, place, columns, statement }: `columns` are those it needs (NULL: the table).

local attached = {}

--- Ranks of statements that are about one constraint or index, which is their place.
attached.constraint_comment, attached.index_comment = 30, 31

local function quoted_grantee(grantee)
  return ("CASE %s WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(%s)) END"):format(grantee, grantee)
end

local option = "CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"

-- Each part has the columns rank, place, columns (attnum[]) and statement; c is the table.
local parts = {}

parts[1] = [[
SELECT 10, '', NULL::int2[], format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(c.relowner))
WHERE c.relowner <> current_user::regrole]]

parts[2] = ([[
SELECT 11, 'revoke', NULL, format('REVOKE ALL ON TABLE %s FROM %s', c.oid::regclass, r.grantee)
FROM (SELECT 'PUBLIC' UNION SELECT quote_ident(pg_get_userbyid(c.relowner))) r(grantee) WHERE c.relacl IS NOT NULL
UNION ALL
SELECT 12, x.privilege_type, NULL, format('GRANT %s ON TABLE %s TO %s%s', x.privilege_type, c.oid::regclass,
  {grantee}, {option})
FROM aclexplode(c.relacl) x
UNION ALL
SELECT 13, a.attname::text, ARRAY[a.attnum], format('GRANT %s (%I) ON TABLE %s TO %s%s', x.privilege_type, a.attname,
  c.oid::regclass, {grantee}, {option})
FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = c.oid AND NOT a.attisdropped]])
  :gsub("{grantee}", quoted_grantee "x.grantee"):gsub("{option}", option)

parts[3] = [[
SELECT 20, a.attname::text, ARRAY[a.attnum], format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s',
  c.oid::regclass, a.attname, pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = c.oid AND NOT a.attislocal AND NOT c.relispartition AND a.attgenerated = '']]

parts[4] = [[
SELECT 30, k.conname::text, k.conkey, format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, c.oid::regclass,
  obj_description(k.oid, 'pg_constraint'))
FROM pg_constraint k WHERE k.conrelid = c.oid AND obj_description(k.oid, 'pg_constraint') IS NOT NULL
UNION ALL
SELECT 31, n.relname::text,
  array(SELECT d.refobjsubid::int2 FROM pg_depend d
  WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = c.oid AND d.refobjsubid > 0),
  format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass,
  obj_description(i.indexrelid, 'pg_class'))
FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid
WHERE i.indrelid = c.oid AND obj_description(i.indexrelid, 'pg_class') IS NOT NULL
UNION ALL
SELECT 32, n.relname::text, NULL, format('ALTER TABLE %s CLUSTER ON %I', c.oid::regclass, n.relname)
FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisclustered
UNION ALL
SELECT 33, '', NULL, format('ALTER TABLE %s REPLICA IDENTITY %s', c.oid::regclass, CASE c.relreplident
  WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE 'USING INDEX ' || (SELECT quote_ident(n.relname) FROM pg_index i
    JOIN pg_class n ON n.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisreplident) END)
WHERE c.relreplident <> 'd']]

parts[5] = [[
SELECT 40, s.stxname::text, s.stxkeys::int2[], pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s WHERE s.stxrelid = c.oid
UNION ALL
SELECT 41, s.stxname::text, s.stxkeys::int2[], format('COMMENT ON STATISTICS %I.%I IS %L', n.nspname, s.stxname,
  obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = c.oid AND obj_description(s.oid, 'pg_statistic_ext') IS NOT NULL]]

parts[6] = [[
SELECT 50, r.rulename::text, NULL, rtrim(pg_get_ruledef(r.oid), ';') FROM pg_rewrite r WHERE r.ev_class = c.oid
UNION ALL
SELECT 51, r.rulename::text, NULL, format('COMMENT ON RULE %I ON %s IS %L', r.rulename, c.oid::regclass,
  obj_description(r.oid, 'pg_rewrite'))
FROM pg_rewrite r WHERE r.ev_class = c.oid AND obj_description(r.oid, 'pg_rewrite') IS NOT NULL
UNION ALL
SELECT 52, r.rulename::text, NULL, format('ALTER TABLE %s %s RULE %I', c.oid::regclass, CASE r.ev_enabled
  WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, r.rulename)
FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_enabled <> 'O'
UNION ALL
SELECT 60, g.tgname::text, NULL, pg_get_triggerdef(g.oid)
FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND (to_jsonb(g) ->> 'tgparentid') = '0'
UNION ALL
SELECT 61, g.tgname::text, NULL, format('COMMENT ON TRIGGER %I ON %s IS %L', g.tgname, c.oid::regclass,
  obj_description(g.oid, 'pg_trigger'))
FROM pg_trigger g WHERE g.tgrelid = c.oid AND obj_description(g.oid, 'pg_trigger') IS NOT NULL
UNION ALL
SELECT 62, g.tgname::text, NULL, format('ALTER TABLE %s %s TRIGGER %I', c.oid::regclass, CASE g.tgenabled
  WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, g.tgname)
FROM pg_trigger g WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'O']]

parts[7] = [[
SELECT 70, p.polname::text, NULL, format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, c.oid::regclass,
  CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, CASE p.polcmd WHEN 'r' THEN 'SELECT'
    WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
  (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ')
    FROM unnest(p.polroles) r), ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
  ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
FROM pg_policy p WHERE p.polrelid = c.oid
UNION ALL
SELECT 71, p.polname::text, NULL, format('COMMENT ON POLICY %I ON %s IS %L', p.polname, c.oid::regclass,
  obj_description(p.oid, 'pg_policy'))
FROM pg_policy p WHERE p.polrelid = c.oid AND obj_description(p.oid, 'pg_policy') IS NOT NULL
UNION ALL
SELECT 72, '', NULL, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', c.oid::regclass) WHERE c.relrowsecurity
UNION ALL
SELECT 73, '', NULL, format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', c.oid::regclass) WHERE c.relforcerowsecurity]]

-- Sequences that columns own are dropped with them; the number they had reached is data.
local sequences = [[
SELECT s.rank, q.relname::text, ARRAY[a.attnum], CASE s.rank
  WHEN 0 THEN format('CREATE SEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s',
    q.oid::regclass, format_type(p.seqtypid, NULL), p.seqincrement, p.seqmin, p.seqmax, p.seqstart, p.seqcache,
    CASE WHEN p.seqcycle THEN ' CYCLE' ELSE '' END)
  ELSE format('ALTER SEQUENCE %s OWNED BY %s.%I', q.oid::regclass, c.oid::regclass, a.attname) END
FROM (VALUES (0), (5)) s(rank), pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'
  JOIN pg_sequence p ON p.seqrelid = q.oid
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
  AND d.deptype = 'a']]

--- The statements of one table, in order; those of rank 0 come before the table.
attached.query = [[
SELECT c.oid::bigint::text AS relation, x.rank, x.place, x.statement, (SELECT json_agg(a.attname) FROM pg_attribute a
  WHERE a.attrelid = c.oid AND a.attnum = ANY (x.columns)) AS columns
FROM pg_class c CROSS JOIN LATERAL (
]] .. sequences .. "\nUNION ALL\n" .. table.concat(parts, "\nUNION ALL\n") .. [[

) x(rank, place, columns, statement)
WHERE c.oid %s
ORDER BY c.oid, x.rank, x.place]]
-- The formats of the statements are not for the one who puts in the condition.
attached.query = attached.query:gsub("%%", "%%%%"):gsub("WHERE c%.oid %%%%s", "WHERE c.oid %%s")

return attached
