--- Privileges: op.grant and op.revoke, on objects of every kind, and the membership in roles.
---
--- `existing` of both is what the roles had of it before: a list of { privileges, on =, to =,
--- grantable = }. Without it, what is granted is taken to be new, and what is revoked to
--- have been there.

local argument = require "moontide.object.argument"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local subject = require "moontide.object.subject"

---@class moontide.GrantTarget
---@field thing string        the kind
---@field names string[]
---@field schema? string
---@field args? table

-- Everything of a kind in a schema: the word of GRANT, and the kind of each.
local every = {
  ["all tables"] = { "TABLES", "table" }, ["all sequences"] = { "SEQUENCES", "sequence" },
  ["all functions"] = { "FUNCTIONS", "function" }, ["all procedures"] = { "PROCEDURES", "procedure" },
  ["all routines"] = { "ROUTINES", "routine" },
}

local grantable = subject.names "grant"
for name in pairs(every) do grantable[#grantable + 1] = name end
table.sort(grantable)
local read_kind = check.choice(table.unpack(grantable))

local function kind_of(on)
  return subject.kinds[every[on.thing] and every[on.thing][2] or on.thing]
end

--- A check: a table's name, or { kind, name or names, schema =, args = }.
local function read_on(given, what)
  if type(given) == "string" then given = { "table", given } end
  check.table(given, what, '"table" or { kind, name }')
  local on = check.shape(given, what, subject.place, 2)
  on.thing, on.names = read_kind(given[1], what .. " kind"), check.names(given[2], what .. " name")
  if every[on.thing] then
    if on.schema or on.args then check.refuse(what .. ": the names are those of schemas") end
  else
    subject.check(on.thing, on)
  end
  return on
end

local function write_on(on)
  local names = #on.names == 1 and on.names[1] or on.names
  if on.thing == "table" and not on.schema and #on.names == 1 then return names end
  return { on.thing, names, schema = on.schema, args = argument.write_list(on.args) }
end

local function on_sql(on)
  if every[on.thing] then return ("ALL %s IN SCHEMA %s"):format(every[on.thing][1], quote.idents(on.names)) end
  local parts = {}
  for i, name in ipairs(on.names) do
    parts[i] = subject.name { thing = on.thing, name = name, schema = on.schema, args = on.args }
  end
  return subject.kinds[on.thing].grant .. " " .. table.concat(parts, ", ")
end

local function read_words(given, what)
  if type(given) == "string" then given = { given } end
  check.list(given, what, "a list of privileges")
  if #given == 0 then check.refuse(what .. " must not be empty") end
  return given
end

local function read_privileges(given, on)
  local what = "the list of privileges"
  local words = { "all" }
  for word in kind_of(on).privileges:gmatch("%S+") do words[#words + 1] = word end
  local list = check.list_of(check.choice(table.unpack(words)))(read_words(given, what), what)
  for _, word in ipairs(list) do
    if word == "all" and #list > 1 then check.refuse(what .. ": all stands alone") end
  end
  return list
end

local base = { on = read_on, columns = check.names, grantable = check.flag, admin = check.flag }
local item_shape = check.join(base, { to = check.names })

-- What is granted: privileges on an object, or, without one, roles.
local function settle(o, given, what)
  if not o[what] then check.expected(('option "%s"'):format(what), "a role or a list of roles", nil) end
  o.privileges = o.on and read_privileges(given, o.on) or check.names(given, "the list of roles")
  if not o.on and (o.columns or o.grantable) then
    check.refuse("columns and grantable need on", "Say what the privileges are on; roles have admin = true.")
  end
  if o.on and o.admin then check.refuse("admin is for roles", "Write grantable = true.") end
  if o.columns and kind_of(o.on).privileges:sub(1, 13) ~= "select insert" then
    check.refuse(("a %s has no columns"):format(o.on.thing))
  end
  return o
end

local function read_existing(given, what)
  return check.list_of(function(item, place)
    check.table(item, place, '{ "select", on = "t", to = "reader" }')
    local o = check.shape(item, place, item_shape, #item)
    return settle(o, table.move(item, 1, #item, 1, {}), "to")
  end)(given, what)
end

local function role_sql(names)
  local parts = {}
  for i, name in ipairs(names) do parts[i] = name == "public" and "PUBLIC" or quote.ident(name) end
  return table.concat(parts, ", ")
end

local function what_sql(o)
  if not o.on then return quote.idents(o.privileges) end
  local parts = {}
  for i, word in ipairs(o.privileges) do
    parts[i] = word:upper() .. (o.columns and " " .. clause.columns(o.columns) or "")
  end
  return table.concat(parts, ", ") .. " ON " .. on_sql(o.on)
end

local function one_or_list(list) return #list == 1 and list[1] or list end

-- Options as users write them.
local function write(o, shape)
  local options = clause.pick(o, shape)
  options.on = o.on and write_on(o.on)
  options.to, options.from = options.to and one_or_list(o.to), options.from and one_or_list(o.from)
  if options.existing then
    options.existing = {}
    for i, item in ipairs(o.existing) do
      local written = write(item, item_shape)
      options.existing[i] = table.move(item.privileges, 1, #item.privileges, 1, written)
    end
  end
  return options
end

local function again(o)
  return operation.build("grant", one_or_list(o.privileges), write(o, item_shape))
end

-- Privileges of relations and their columns, of routines, schemas and so on: who has which, and may pass it on.
local query_text = [[
SELECT coalesce(r.rolname::text, 'public') AS grantee, x.is_grantable, lower(x.privilege_type) AS privilege, t.col
FROM (SELECT coalesce(%sacl, acldefault(%s, %sowner)) AS acl, NULL::text AS col FROM %s WHERE oid = (%s)%s) t,
  aclexplode(t.acl) x LEFT JOIN pg_roles r ON r.oid = x.grantee ORDER BY 1, 4 NULLS FIRST, 3]]
local columns_text = [[ UNION ALL
  SELECT attacl, attname::text FROM pg_attribute WHERE attrelid = (%s) AND attacl IS NOT NULL]]

local members_text = [[
SELECT m.rolname AS grantee, bool_or(a.admin_option) AS admin, r.rolname AS role
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
GROUP BY 1, 3 ORDER BY 1, 3]]

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

local members_of_schema = [[
SELECT %sname AS name, %s AS args FROM %s WHERE %snamespace = to_regnamespace(%s) AND %s ORDER BY 1, 2]]

local conditions = {
  ["all tables"] = "relkind IN ('r', 'p', 'v', 'm', 'f')", ["all sequences"] = "relkind = 'S'",
  ["all functions"] = "prokind <> 'p'", ["all procedures"] = "prokind = 'p'", ["all routines"] = "true",
}

-- Everything of a kind in a schema, each an `on` of its own.
local function each_of_schema(on, schema, query, list)
  local kind = kind_of(on)
  local types = kind.routine and "pg_get_function_identity_arguments(oid)" or "NULL"
  for _, row in ipairs(query(members_of_schema:format(kind.prefix, types, kind.catalog, kind.prefix,
    quote.literal(quote.ident(schema)), conditions[on.thing]))) do
    list[#list + 1] = { thing = every[on.thing][2], names = { row.name }, schema = schema,
      args = row.args and argument.signature(argument.read_list(row.args, "the arguments in the catalog")) }
  end
end

-- The objects an `on` means, each an `on` of its own.
local function each_object(on, query)
  local list = {}
  for _, name in ipairs(on.names) do
    if every[on.thing] then
      each_of_schema(on, name, query, list)
    else
      list[#list + 1] = { thing = on.thing, names = { name }, schema = on.schema, args = on.args }
    end
  end
  return list
end

local function privileges_of(on, query)
  local kind = subject.kinds[on.thing]
  local oid = subject.oid { thing = on.thing, name = on.names[1], schema = on.schema, args = on.args }
  return query(query_text:format(kind.prefix, quote.literal(kind.letter), kind.prefix, kind.catalog, oid,
    kind.catalog == "pg_class" and columns_text:format(oid) or ""))
end

local function had_of_object(o, roles, on, query, had)
  local wanted = set_of(o.privileges)
  for _, row in ipairs(privileges_of(on, query)) do
    if roles[row.grantee] and (wanted.all or wanted[row.privilege]) then
      had[#had + 1] = { privileges = { row.privilege }, on = on, to = { row.grantee },
        columns = row.col and { row.col }, grantable = row.is_grantable or nil }
    end
  end
end

local function had_of_roles(o, roles, query)
  local had, wanted = {}, set_of(o.privileges)
  for _, row in ipairs(query(members_text)) do
    if roles[row.grantee] and wanted[row.role] then
      had[#had + 1] = { privileges = { row.role }, to = { row.grantee }, admin = row.admin or nil }
    end
  end
  return had
end

local function capture(whom)
  return function(o, query)
    local roles = set_of(o[whom])
    if not o.on then return { existing = had_of_roles(o, roles, query) } end
    local had = {}
    for _, on in ipairs(each_object(o.on, query)) do had_of_object(o, roles, on, query, had) end
    return { existing = had }
  end
end

local function with_existing(list, o)
  for _, item in ipairs(o.existing or {}) do list[#list + 1] = again(item) end
  return list
end

local grant_shape = check.join(item_shape, { existing = read_existing })

operation.register {
  name = "grant",
  summary = "Grant privileges on objects, or roles",
  build = function(privileges, options)
    return settle(check.options(options, grant_shape), privileges, "to")
  end,
  sql = function(o)
    return { clause.words("GRANT", what_sql(o), "TO", role_sql(o.to), o.grantable and "WITH GRANT OPTION",
      o.admin and "WITH ADMIN OPTION") }
  end,
  inverse = function(o)
    local options = write(o, base)
    options.from, options.grantable, options.admin = one_or_list(o.to), nil, nil
    return with_existing({ operation.build("revoke", one_or_list(o.privileges), options) }, o)
  end,
  lock = function() return {} end,
  capture = capture "to",
  source = function(o) return source.call("grant", one_or_list(o.privileges), write(o, grant_shape)) end,
}

local revoke_shape = check.join(base, { from = check.names, cascade = check.flag, existing = read_existing })

operation.register {
  name = "revoke",
  summary = "Revoke privileges on objects, or roles",
  build = function(privileges, options)
    return settle(check.options(options, revoke_shape), privileges, "from")
  end,
  sql = function(o)
    return { clause.words("REVOKE", o.grantable and "GRANT OPTION FOR", o.admin and "ADMIN OPTION FOR", what_sql(o),
      "FROM", role_sql(o.from), o.cascade and "CASCADE") }
  end,
  inverse = function(o)
    if o.cascade then return nil, "cascade also revokes what others were given: revoke that first, on its own" end
    if o.existing then return with_existing({}, o) end
    local options = write(o, base)
    options.to = one_or_list(o.from)
    return { operation.build("grant", one_or_list(o.privileges), options) }
  end,
  lock = function() return {} end,
  capture = capture "from",
  source = function(o) return source.call("revoke", one_or_list(o.privileges), write(o, revoke_shape)) end,
}
