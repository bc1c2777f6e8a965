--- Queries of spec/support/catalog.lua about what is made of code, and about who may do what.

local queries = {}

-- Privileges in an order of their own; those never touched as the server takes them.
local function privileges(acl, letter, owner)
  return ([[(select string_agg(format('%%s=%%s%%s/%%s',
      case a.grantee when 0 then 'public' else a.grantee::regrole::text end, a.privilege_type,
      case when a.is_grantable then '*' end, a.grantor::regrole), ','
    order by a.grantee, a.privilege_type) from aclexplode(coalesce(%s, acldefault('%s', %s))) a)]])
    :format(acl, letter, owner)
end

local function query(name, text)
  queries[name] = text:gsub("{acl:([%w.]+),(%a),([%w.]+)}", privileges)
    :gsub("{users:([%w.]+)}", "%1 !~ '^pg_(catalog|toast)|^information_schema$'")
    :gsub("{own:([%w.]+)}", "not exists (select from pg_depend d where d.objid = %1 and d.deptype = 'e')")
end

query("access", [[
  select format('access %s owner=%s acl=%s security=%s,%s', c.oid::regclass, c.relowner::regrole,
    {acl:c.relacl,r,c.relowner}, c.relrowsecurity, c.relforcerowsecurity)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f') and {users:n.nspname} and {own:c.oid}]])

query("column_access", [[
  select format('access %s.%s acl=%s', c.oid::regclass, a.attname,
    (select string_agg(item::text, ',' order by item::text) from unnest(a.attacl) item))
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where a.attacl is not null and a.attacl <> '{}' and {users:n.nspname}]])

query("views", [[
  select format('view %s.%s kind=%s persistence=%s options=%s populated=%s tablespace=%s am=%s comment=%s %s',
    n.nspname, c.relname, c.relkind, c.relpersistence, (select array_agg(o order by o) from unnest(c.reloptions) o),
    c.relispopulated, t.spcname, a.amname, obj_description(c.oid, 'pg_class'), pg_get_viewdef(c.oid))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_tablespace t on t.oid = c.reltablespace
    left join pg_am a on a.oid = c.relam
  where c.relkind in ('v', 'm') and {users:n.nspname} and {own:c.oid}]])

query("view_columns", [[
  select format('view column %s.%s %s default=%s comment=%s', c.oid::regclass, a.attname,
    format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum))
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where c.relkind in ('v', 'm') and a.attnum > 0 and {users:n.nspname} and {own:c.oid}]])

query("rules", [[
  select format('rule %s enabled=%s comment=%s', pg_get_ruledef(r.oid), r.ev_enabled, obj_description(r.oid,
    'pg_rewrite'))
  from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
  where r.rulename <> '_RETURN' and {users:n.nspname}]])

query("triggers", [[
  select format('trigger %s enabled=%s comment=%s', pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid,
    'pg_trigger'))
  from pg_trigger t where not t.tgisinternal]])

query("event_triggers", [[
  select format('event trigger %s on %s function=%s tags=%s enabled=%s owner=%s comment=%s', evtname, evtevent,
    evtfoid::regproc, evttags, evtenabled, evtowner::regrole, obj_description(oid, 'pg_event_trigger'))
  from pg_event_trigger]])

query("policies", [[
  select format('policy %s on %s permissive=%s roles=%s command=%s using=%s check=%s comment=%s', p.polname,
    p.polrelid::regclass, p.polpermissive, (select array_agg(r::regrole order by 1) from unnest(p.polroles) r),
    p.polcmd, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
    obj_description(p.oid, 'pg_policy'))
  from pg_policy p]])

query("routines", [[
  select format('routine %s owner=%s acl=%s comment=%s %s %s', p.oid::regprocedure, p.proowner::regrole,
    {acl:p.proacl,f,p.proowner}, obj_description(p.oid, 'pg_proc'),
    case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end,
    (select to_jsonb(a) - 'aggfnoid' from pg_aggregate a where a.aggfnoid = p.oid))
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace where {users:n.nspname} and {own:p.oid}]])

query("casts", [[
  select format('cast %s as %s function=%s method=%s context=%s comment=%s', format_type(castsource, null),
    format_type(casttarget, null), nullif(castfunc, 0)::regprocedure, castmethod, castcontext,
    obj_description(oid, 'pg_cast'))
  from pg_cast c where oid >= 16384 and {own:c.oid}]])

query("statistics", [[
  select format('statistics %s target=%s owner=%s comment=%s', pg_get_statisticsobjdef(oid), stxstattarget,
    stxowner::regrole, obj_description(oid, 'pg_statistic_ext')) from pg_statistic_ext]])

query("publications", [[
  select format('publication %s %s owner=%s comment=%s %s', pubname, (to_jsonb(p) - 'oid' - 'pubowner')::text,
    pubowner::regrole, obj_description(oid, 'pg_publication'),
    (select string_agg(pg_describe_object(d.classid, d.objid, d.objsubid), ', ' order by d.objid)
      from (select distinct classid, objid, 0 as objsubid from pg_depend
        where refclassid = 'pg_publication'::regclass and refobjid = p.oid) d)
    || (select string_agg(format(' %s(%s) where %s', prrelid::regclass, to_jsonb(r) ->> 'prattrs',
        regexp_replace(to_jsonb(r) ->> 'prqual', ':location -?[0-9]+', '', 'g')), ',' order by prrelid::regclass::text)
      from pg_publication_rel r where r.prpubid = p.oid))
  from pg_publication p]])

query("servers", [[
  select format('server %s wrapper=%s type=%s version=%s options=%s owner=%s acl=%s comment=%s', srvname, f.fdwname,
    srvtype, srvversion, (select array_agg(o order by o) from unnest(srvoptions) o), srvowner::regrole,
    {acl:srvacl,S,srvowner}, obj_description(s.oid, 'pg_foreign_server'))
  from pg_foreign_server s join pg_foreign_data_wrapper f on f.oid = s.srvfdw]])

query("user_mappings", [[
  select format('user mapping %s of %s options=%s', usename, srvname,
    (select array_agg(o order by o) from unnest(umoptions) o))
  from pg_user_mappings]])

query("default_access", [[
  select format('default access %s %s %s %s', d.defaclrole::regrole, d.defaclnamespace::regnamespace, d.defaclobjtype,
    (select string_agg(item::text, ',' order by item::text) from unnest(d.defaclacl) item))
  from pg_default_acl d]])

return queries
