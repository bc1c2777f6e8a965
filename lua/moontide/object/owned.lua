--- What objects with a name have in common: an owner, a comment and privileges, as
--- options of the operation that creates one, and as the catalog has them.
---
--- `grants` is the list of everybody else's privileges, complete: what the server
--- gives to all by itself (the use of a new type) is taken back unless it is listed.
--- The owner has every privilege, unless the list names the owner, too.

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
---@field privileges string[]  those that can be granted

local owned = {}

local grant_shape = { to = check.name, grantable = check.flag }

local function read_grant(given, what)
  check.table(given, what, '{ "usage", to = "reader" }')
  local grant = check.shape(given, what, grant_shape, #given)
  if not grant.to then check.expected(what .. ': option "to"', "a role", nil) end
  if #given == 0 then check.refuse(what .. " names no privilege") end
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
  local read = check.list_of(read_grant)
  return {
    owner = check.name, comment = check.text,
    grants = function(given, what) return check_words(read(given, what), kind) end,
  }
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
  if o.owner then add("ALTER %s %s OWNER TO %s", kind.words, name, quote.ident(o.owner)) end
  if o.grants then
    local thing = (kind.grant_words or kind.words) .. " " .. name
    table.move(grant_statements(o, thing), 1, #o.grants + 2, #statements + 1, statements)
  end
  return statements
end

--- Append what is common to an object's own statements.
---@param statements string[]
---@param kind moontide.OwnedKind
---@param name string  as SQL
---@param o table
---@return string[] statements
function owned.append(statements, kind, name, o)
  for _, sql in ipairs(owned.statements(kind, name, o)) do statements[#statements + 1] = sql end
  return statements
end

-- Of an object whose privileges were never touched the list is NULL. The owner's own are
-- listed only where something is missing.
local grants_query = [[
SELECT coalesce(r.rolname::text, 'public') AS grantee, a.is_grantable,
       string_agg(lower(a.privilege_type), ',' ORDER BY a.privilege_type) AS privileges
FROM (SELECT %s AS acl, %s AS owner FROM %s WHERE %s) o,
     aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee <> o.owner OR
  (SELECT count(*) FROM aclexplode(o.acl) x WHERE x.grantee = o.owner) <>
  (SELECT count(*) FROM aclexplode(acldefault(%s, o.owner)) x WHERE x.grantee = o.owner)
GROUP BY 1, 2 ORDER BY 1, 2]]

local function words(text)
  local list = {}
  for word in text:gmatch("[^,]+") do list[#list + 1] = word end
  return list
end

---@class moontide.OwnedCatalog
---@field catalog string     the catalog's name
---@field prefix string      of its columns
---@field letter string      of acldefault()
---@field condition string   that finds the object

-- nil where nobody touched the privileges.
local function read_grants(query, where)
  local acl, owner = where.prefix .. "acl", where.prefix .. "owner"
  local rows = query(grants_query:format(acl, owner, where.catalog, where.condition,
    quote.literal(where.letter)))
  local grants = {}
  for i, row in ipairs(rows) do
    grants[i] = { to = row.grantee, grantable = row.is_grantable or nil, privileges = words(row.privileges) }
  end
  return grants
end

--- What the catalog says of an object's owner, comment and privileges; nil when there is no such object.
---@param query fun(sql: string): table
---@param where moontide.OwnedCatalog
---@return table? found
---@return integer? oid
function owned.capture(query, where)
  local row = query(([[
SELECT oid::bigint AS oid, pg_get_userbyid(%sowner) AS owner, obj_description(oid, %s) AS comment,
       %sacl IS NOT NULL AS touched
FROM %s WHERE %s]]):format(where.prefix, quote.literal(where.catalog), where.prefix, where.catalog,
    where.condition))[1]
  if not row then return nil end
  local found = { owner = row.owner, comment = row.comment }
  if row.touched then found.grants = read_grants(query, where) end
  return found, row.oid
end

return owned
