--- Privileges that owners have given to others, and those that the server gives to all and
--- that were taken back. What owners may do themselves is no fact, nor is what they gave
--- to the role that reads: that differs from server to server.

local kind = { queries = {} }

-- What everybody has of a schema "public" that is new.
local public_schema = "acldefault('n', n.nspowner) || (CASE WHEN current_setting('server_version_num')::int < 150000 "
  .. "THEN '{=UC/' ELSE '{=U/' END || quote_ident(pg_get_userbyid(n.nspowner)) || '}')::aclitem[]"

local objects = [[
  SELECT 'pg_class' AS catalog, c.oid, NULL::name AS "column", c.relowner AS owner, c.relacl AS acl,
    CASE c.relkind WHEN 'S' THEN 'S'::"char" ELSE 'r' END AS letter, c.relnamespace AS namespace,
    NULL::aclitem[] AS base, n.nspname || '.' || c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relacl IS NOT NULL AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {relations} AND {free pg_class c.oid}
  UNION ALL SELECT 'pg_class', c.oid, a.attname, c.relowner, a.attacl, NULL, NULL, NULL,
    n.nspname || '.' || c.relname || '.' || a.attname
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND {relations} AND {free pg_class c.oid}
  UNION ALL SELECT 'pg_proc', p.oid, NULL, p.proowner, p.proacl, 'f', p.pronamespace, acldefault('f', p.proowner),
    n.nspname || '.' || p.proname
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.proacl IS NOT NULL AND {schemas} AND {free pg_proc p.oid}
  UNION ALL SELECT 'pg_type', t.oid, NULL, t.typowner, t.typacl, 'T', t.typnamespace, acldefault('T', t.typowner),
    n.nspname || '.' || t.typname
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typacl IS NOT NULL AND {schemas} AND {free pg_type t.oid}
  UNION ALL SELECT 'pg_namespace', n.oid, NULL, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)), 'n', 0,
    CASE n.nspname WHEN 'public' THEN ]] .. public_schema .. [[ END, n.nspname::text
  FROM pg_namespace n WHERE (n.nspacl IS NOT NULL OR n.nspname = 'public') AND {schemas}
    AND {free pg_namespace n.oid}]]

kind.queries.privileges = [[
WITH given AS (SELECT d.defaclrole AS owner, d.defaclobjtype AS letter, d.defaclnamespace AS namespace, x.grantee,
  x.privilege_type FROM pg_default_acl d, aclexplode(d.defaclacl) x)
SELECT o.catalog || ':' || o.oid::bigint AS object, o."column", x.side, o.name,
  CASE x.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(x.grantee)::text END AS grantee,
  lower(x.privilege_type) AS privilege, bool_or(x.is_grantable) AS grantable, bool_or(x.grantor = o.owner) AS is_own,
  bool_or(CASE x.side
    WHEN 'has' THEN x.grantee = (SELECT oid FROM pg_roles WHERE rolname = current_user) OR EXISTS (SELECT FROM given g
      WHERE g.owner = o.owner AND g.letter = o.letter AND g.namespace IN (0, o.namespace) AND g.grantee = x.grantee
      AND g.privilege_type = x.privilege_type)
    ELSE EXISTS (SELECT FROM pg_default_acl d WHERE d.defaclrole = o.owner AND d.defaclobjtype = o.letter
      AND d.defaclnamespace = 0) AND NOT EXISTS (SELECT FROM given g WHERE g.owner = o.owner AND g.letter = o.letter
      AND g.namespace = 0 AND g.grantee = x.grantee AND g.privilege_type = x.privilege_type) END) AS by_default
FROM (]] .. objects .. [[) o CROSS JOIN LATERAL (SELECT 'has' AS side, h.* FROM aclexplode(o.acl) h
  UNION ALL SELECT 'base', b.* FROM aclexplode(o.base) b) x
WHERE x.grantee <> o.owner
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2 NULLS FIRST, 5, 6, 3]]

local function id_of(row) return ("%s %s %s %s"):format(row.object, row.column or "", row.grantee, row.privilege) end

-- What is there and not by itself, and what would be there by itself and is not.
local function exceptional(rows)
  local has, base, list = {}, {}, {}
  for _, row in ipairs(rows) do (row.side == "has" and has or base)[id_of(row)] = row end
  for _, row in ipairs(rows) do
    local is_plain = row.side == "has" and base[id_of(row)] and not row.grantable
    local is_there = row.side == "base" and has[id_of(row)]
    if not is_plain and not is_there then list[#list + 1] = row end
  end
  return list
end

-- The privileges of one role on one object, those of columns and those that may be passed on apart.
local function gather(rows)
  local list, by_id = {}, {}
  for _, row in ipairs(rows) do
    local id = ("%s %s %s %s %s"):format(row.side, row.object, row.column or "", row.grantee, tostring(row.grantable))
    local group = by_id[id]
    if not group then
      group = { row = row, privileges = {}, by_default = true }
      by_id[id], list[#list + 1] = group, group
    end
    table.insert(group.privileges, row.privilege)
    group.by_default = group.by_default and row.by_default
  end
  return list
end

local words = { enum = "type", ["range type"] = "type", aggregate = "function" }

-- The object of a fact as GRANT names it; the schema public is no fact.
local function target(fact)
  if not fact then return "schema public", { "schema", "public" }, "public", "public" end
  local options = fact.drop[3] or {}
  local name = fact.call[2]
  local on = { words[fact.kind] or fact.kind, name, schema = options.schema, args = fact.types or options.args }
  return fact.key, on, name, fact.kind == "schema" and name or options.schema
end

local function call_of(word, group, on)
  local row = group.row
  return { word, group.privileges, { on = on, columns = row.column and { row.column },
    [word == "grant" and "to" or "from"] = row.grantee, grantable = word == "grant" and row.grantable or nil } }
end

local function key_of(group, object)
  local row = group.row
  return ("%s %s%s %s %s%s"):format(row.side == "has" and "grant on" or "revoke on", object,
    row.column and "." .. row.column or "", row.side == "has" and "to" or "from", row.grantee,
    row.side == "has" and row.grantable and " with grant option" or "")
end

-- Taking a privilege of a table back takes that of its columns, too.
local function depend_on_whole(set, fact, group, object)
  if not group.row.column then return end
  for _, option in ipairs { "", " with grant option" } do
    local whole = ("grant on %s to %s%s"):format(object, group.row.grantee, option)
    if set.by_key[whole] then set:depend(fact.key, whole) end
  end
end

local function add_group(set, group, parent)
  local object, on, name, schema = target(parent)
  local word, back = "grant", "revoke"
  if group.row.side == "base" then word, back = back, word end
  local fact = set:add { key = key_of(group, object), kind = word, parent = parent and parent.key, name = name,
    schema = schema, call = call_of(word, group, on), drop = call_of(back, group, on), by_default = group.by_default }
  if not parent then return end
  set:depend(fact.key, parent.key, group.row.column)
  depend_on_whole(set, fact, group, object)
end

-- Of what is no fact itself the privileges are none, nor are those that others passed on.
local function can_be_said(set, row)
  local is_said = set.by_oid[row.object] or row.object:find("^pg_namespace:")
  return is_said and (row.side == "base" or row.is_own)
end

--- Add what the rows say.
---@param set moontide.FactSet
---@param rows table<string, table[]>
function kind.add(set, rows)
  local list, told = {}, {}
  for _, row in ipairs(rows.privileges) do
    if can_be_said(set, row) then list[#list + 1] = row
    elseif row.side == "has" and not told[row.name] then
      told[row.name] = true
      table.insert(set.unmodelled, { kind = "grant", name = row.name })
    end
  end
  for _, group in ipairs(gather(exceptional(list))) do add_group(set, group, set.by_oid[group.row.object]) end
end

--- What default privileges gave to the objects of a database is no difference where it is
--- not declared: it counts as declared.
---@param live moontide.FactSet
---@param wanted moontide.FactSet
function kind.assume(live, wanted)
  for _, fact in ipairs(live.list) do
    local is_kept = fact.by_default and not wanted.by_key[fact.key] and (not fact.parent or wanted.by_key[fact.parent])
    if is_kept then
      wanted:add(fact)
      for key in pairs(live.edges[fact.key] or {}) do
        if wanted.by_key[key] then wanted:depend(fact.key, key) end
      end
    end
  end
end

return kind
