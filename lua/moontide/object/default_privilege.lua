--- Privileges that objects get when they are created: ALTER DEFAULT PRIVILEGES.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

-- What there is to create: its privileges and its letter in pg_default_acl.
local things = {
  tables = { "r", "select insert update delete truncate references trigger maintain" },
  sequences = { "S", "select update usage" }, functions = { "f", "execute" }, types = { "T", "usage" },
  schemas = { "n", "create usage" },
}

local item_shape = { to = check.names, grantable = check.flag }
local shape = check.join(item_shape, {
  on = check.choice("functions", "schemas", "sequences", "tables", "types"), from = check.names,
  role = check.name, schema = check.names,
})

local function read_privileges(given, what, on)
  if type(given) == "string" then given = { given } end
  local words = { "all" }
  for word in things[on][2]:gmatch("%S+") do words[#words + 1] = word end
  local list = check.list_of(check.choice(table.unpack(words)))(given, what)
  if #list == 0 then check.refuse(what .. " must not be empty") end
  return list
end

local function read_existing(given, what, on)
  return check.list_of(function(item, place)
    check.table(item, place, '{ "select", to = "reader" }')
    local had = check.shape(item, place, item_shape, #item)
    if not had.to then check.expected(place .. ': option "to"', "a role", nil) end
    had.privileges = read_privileges(table.move(item, 1, #item, 1, {}), place, on)
    return had
  end)(given, what)
end

local verbs = { grant = "to", revoke = "from" }

local function check_whom(o)
  local wanted, other = verbs[o.verb], o.verb == "grant" and "from" or "to"
  if o[other] then check.refuse(("%s takes %s, not %s"):format(o.verb, wanted, other)) end
  if not o[wanted] then check.expected(('option "%s"'):format(wanted), "a role or a list of roles", nil) end
  if o.on == "schemas" and o.schema then check.refuse('on = "schemas" and schema cannot be given together') end
end

local full_shape = check.join(shape, { existing = function(given) return given end })

local function build(verb, privileges, options)
  local o = check.options(options, full_shape)
  o.verb = check.choice("grant", "revoke")(verb, "the verb")
  if not o.on then check.expected('option "on"', "a kind of object", nil, 'Write on = "tables".') end
  check_whom(o)
  o.privileges = read_privileges(privileges, "the list of privileges", o.on)
  o.existing = o.existing and read_existing(o.existing, 'option "existing"', o.on)
  return o
end

local function roles_sql(names)
  local parts = {}
  for i, name in ipairs(names) do parts[i] = name == "public" and "PUBLIC" or quote.ident(name) end
  return table.concat(parts, ", ")
end

local function sql(o)
  local head = clause.words("ALTER DEFAULT PRIVILEGES", o.role and "FOR ROLE " .. quote.ident(o.role),
    o.schema and "IN SCHEMA " .. quote.idents(o.schema))
  local what = table.concat(o.privileges, ", "):upper() .. " ON " .. o.on:upper()
  if o.verb == "grant" then
    return { clause.words(head, "GRANT", what, "TO", roles_sql(o.to), o.grantable and "WITH GRANT OPTION") }
  end
  return { clause.words(head, "REVOKE", o.grantable and "GRANT OPTION FOR", what, "FROM", roles_sql(o.from)) }
end

local function one_or_list(list) return list and #list == 1 and list[1] or list end

local function write(o, whom)
  return { on = o.on, role = o.role, schema = one_or_list(o.schema), grantable = o.grantable,
    [whom] = one_or_list(o.to or o.from) }
end

local function write_existing(existing)
  local list = {}
  for i, had in ipairs(existing) do
    list[i] = table.move(had.privileges, 1, #had.privileges, 1, { to = one_or_list(had.to), grantable = had.grantable })
  end
  return list
end

local function call(verb, privileges, options)
  return operation.build("alter_default_privileges", verb, one_or_list(privileges), options)
end

local function again(list, o)
  for _, had in ipairs(o.existing or {}) do
    local options = write(o, "to")
    options.to, options.grantable = one_or_list(had.to), had.grantable
    list[#list + 1] = call("grant", had.privileges, options)
  end
  return list
end

local function inverse(o)
  if o.verb == "revoke" then
    if o.existing then return again({}, o) end
    return { call("grant", o.privileges, write(o, "to")) }
  end
  local options = write(o, "from")
  options.grantable = nil
  return again({ call("revoke", o.privileges, options) }, o)
end

-- Without an entry of its own a role's objects have what the server gives to all.
local query_text = [[
SELECT coalesce(r.rolname::text, 'public') AS grantee, x.is_grantable, lower(x.privilege_type) AS privilege
FROM (SELECT coalesce((SELECT d.defaclacl FROM pg_default_acl d WHERE d.defaclrole = o.oid AND d.defaclobjtype = %s
    AND d.defaclnamespace = %s), %s) AS acl FROM pg_roles o WHERE o.rolname = %s) t,
  aclexplode(t.acl) x LEFT JOIN pg_roles r ON r.oid = x.grantee ORDER BY 1, 3]]

local function ask(o, query)
  local letter = things[o.on][1]
  local namespace = o.schema and ("to_regnamespace(%s)::oid"):format(quote.literal(quote.ident(o.schema[1]))) or "0"
  local otherwise = o.schema and "NULL" or ("acldefault('%s', o.oid)"):format(letter == "S" and "s" or letter)
  return query(query_text:format(quote.literal(letter), namespace, otherwise,
    o.role and quote.literal(o.role) or "current_user"))
end

local function capture(o, query)
  if o.schema and #o.schema > 1 then return nil end
  local wanted, roles, had = {}, {}, {}
  for _, word in ipairs(o.privileges) do wanted[word] = true end
  for _, name in ipairs(o.to or o.from) do roles[name] = true end
  for _, row in ipairs(ask(o, query)) do
    if roles[row.grantee] and (wanted.all or wanted[row.privilege]) then
      had[#had + 1] = { privileges = { row.privilege }, to = { row.grantee }, grantable = row.is_grantable or nil }
    end
  end
  return { existing = had }
end

operation.register {
  name = "alter_default_privileges",
  summary = "Change the privileges that new objects get",
  build = build,
  sql = sql,
  inverse = inverse,
  lock = function() return {} end,
  capture = capture,
  source = function(o)
    local options = write(o, verbs[o.verb])
    options.existing = o.existing and write_existing(o.existing)
    return source.call("alter_default_privileges", o.verb, one_or_list(o.privileges), options)
  end,
}
