--- What objects with a name have in common: an owner, a comment and privileges, as
--- options of the operation that creates one, and as the catalog has them.
---
--- `grants` is the list of everybody else's privileges, complete: what the server
--- gives to all by itself (the use of a new type) is taken back unless it is listed.
--- The owner has every privilege, unless the list names the owner, too. An item without
--- privileges, { to = "reader" }, takes back what default privileges have given.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local quote = require "moontide.sql.quote"

---@class moontide.Grant
---@field privileges string[]  lower-case words; { "all" } for every one
---@field to string            a role, or "public" for everybody
---@field grantable? true

---@class moontide.OwnedKind
---@field words string         "TYPE", "SEQUENCE": as COMMENT ON and ALTER ... OWNER TO have it
---@field grant_words? string  as GRANT has it, where it differs
---@field privileges? string[]  those that can be granted; nil: there are none
---@field from_the_start? boolean  CREATE names the owner

local owned = {}

local grant_shape = { to = check.name, grantable = check.flag }

local function read_grant(given, what)
  check.table(given, what, '{ "usage", to = "reader" }')
  local grant = check.shape(given, what, grant_shape, #given)
  if not grant.to then check.expected(what .. ': option "to"', "a role", nil) end
  grant.privileges = {}
  for i, word in ipairs(given) do grant.privileges[i] = check.text(word, what):lower() end
  return grant
end

local function check_words(grants, kind)
  for i, grant in ipairs(grants) do
    local word = check.choice("all", table.unpack(kind.privileges))
    for _, privilege in ipairs(grant.privileges) do word(privilege, ('option "grants" %d'):format(i)) end
  end
  return grants
end

--- The options owner, comment and grants of a kind of object.
---@param kind moontide.OwnedKind
---@return table<string, moontide.Check>
function owned.shape(kind)
  local read, shape = check.list_of(read_grant), { owner = check.name, comment = check.text }
  if kind.privileges then shape.grants = function(given, what) return check_words(read(given, what), kind) end end
  return shape
end

local function write_grant(grant)
  local item = { to = grant.to, grantable = grant.grantable }
  return table.move(grant.privileges, 1, #grant.privileges, 1, item)
end

--- Options as users write them: `grants` is turned back, the others are left alone.
---@param options table
---@return table options
function owned.write(options)
  if not options.grants then return options end
  local grants = {}
  for i, grant in ipairs(options.grants) do grants[i] = write_grant(grant) end
  options.grants = grants
  return options
end

local function role(name)
  return name == "public" and "PUBLIC" or quote.ident(name)
end

local function grant_sql(grant, thing)
  if #grant.privileges == 0 then return ("REVOKE ALL ON %s FROM %s"):format(thing, role(grant.to)) end
  local list = table.concat(grant.privileges, ", "):upper()
  return clause.words("GRANT", list, "ON", thing, "TO", role(grant.to), grant.grantable and "WITH GRANT OPTION")
end

-- Privileges that somebody has from the beginning are taken back first.
local function grant_statements(o, thing)
  local statements = { ("REVOKE ALL ON %s FROM PUBLIC"):format(thing) }
  for _, grant in ipairs(o.grants) do
    if grant.to == o.owner then
      table.insert(statements, 1, ("REVOKE ALL ON %s FROM %s"):format(thing, role(o.owner)))
      break
    end
  end
  for _, grant in ipairs(o.grants) do statements[#statements + 1] = grant_sql(grant, thing) end
  return statements
end

--- Statements that give a new object its comment, privileges and owner.
---@param kind moontide.OwnedKind
---@param name string  as SQL
---@param o table
---@return string[]
function owned.statements(kind, name, o)
  local statements = {}
  local function add(format, ...) statements[#statements + 1] = format:format(...) end
  if o.comment then add("COMMENT ON %s %s IS %s", kind.words, name, quote.literal(o.comment)) end
  if o.owner and not kind.from_the_start then add("ALTER %s %s OWNER TO %s", kind.words, name, quote.ident(o.owner)) end
  if o.grants then
    local thing = (kind.grant_words or kind.words) .. " " .. name
    table.move(grant_statements(o, thing), 1, #o.grants + 2, #statements + 1, statements)
  end
  return statements
end

-- The owner's own privileges are listed only where something is missing. Whom the default
-- privileges of this role would give something when the object is created again is listed
-- first, without privileges: so is an owner who has none.
local grants_query = [[
WITH o AS (SELECT %sacl IS NOT NULL AS touched, coalesce(%sacl, acldefault(%s, %sowner)) AS acl, %sowner AS owner
           FROM %s WHERE %s),
     a AS (SELECT x.* FROM o, aclexplode(o.acl) x),
     given AS (
       SELECT grantee, is_grantable, string_agg(lower(privilege_type), ',' ORDER BY privilege_type) AS privileges
       FROM a, o WHERE a.grantee <> o.owner OR
         (SELECT count(*) FROM a x WHERE x.grantee = o.owner) <>
         (SELECT count(*) FROM aclexplode(acldefault(%s, o.owner)) x WHERE x.grantee = o.owner)
       GROUP BY 1, 2),
     taken AS (
       SELECT x.grantee FROM o, pg_default_acl d, aclexplode(d.defaclacl) x
       WHERE d.defaclrole = current_user::regrole AND d.defaclobjtype = %s
         AND x.grantee NOT IN (0, d.defaclrole, o.owner)
       UNION SELECT o.owner FROM o WHERE NOT EXISTS (SELECT FROM a WHERE a.grantee = o.owner))
SELECT coalesce(r.rolname::text, 'public') AS grantee, g.is_grantable, g.privileges
FROM (SELECT * FROM given UNION ALL SELECT grantee, false, '' FROM taken) g LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE EXISTS (SELECT FROM o WHERE touched) OR EXISTS (SELECT FROM taken)
ORDER BY 1, g.privileges <> '', 2]]

local function words(text)
  local list = {}
  for word in text:gmatch("[^,]+") do list[#list + 1] = word end
  return list
end

---@class moontide.OwnedCatalog
---@field catalog string     the catalog's name
---@field prefix string      of its columns
---@field letter? string     of acldefault(); nil: it has no privileges
---@field condition string   that finds the object

-- pg_default_acl has a letter of its own for sequences.
local default_letters = { s = "S" }

local function read_grants(query, where)
  if not where.letter then return {} end
  local prefix, letter = where.prefix, quote.literal(where.letter)
  local rows = query(grants_query:format(prefix, prefix, letter, prefix, prefix, where.catalog, where.condition,
    letter, quote.literal(default_letters[where.letter] or where.letter)))
  local grants = {}
  for i, row in ipairs(rows) do
    grants[i] = { to = row.grantee, grantable = row.is_grantable or nil, privileges = words(row.privileges) }
  end
  return grants
end

--- What the catalog says of an object's owner, comment and privileges; nil when there is no such object.
---@param query fun(sql: string): table
---@param where moontide.OwnedCatalog
---@return table? found  without grants where nobody touched the privileges
---@return integer? oid
function owned.capture(query, where)
  local row = query(([[
SELECT oid::bigint AS oid, pg_get_userbyid(%sowner) AS owner, obj_description(oid, %s) AS comment,
       %s AS touched
FROM %s WHERE %s]]):format(where.prefix, quote.literal(where.catalog),
    where.letter and where.prefix .. "acl IS NOT NULL" or "false", where.catalog, where.condition))[1]
  if not row then return nil end
  local found, grants = { owner = row.owner, comment = row.comment }, read_grants(query, where)
  if row.touched or #grants > 0 then found.grants = grants end
  return found, row.oid
end

return owned
