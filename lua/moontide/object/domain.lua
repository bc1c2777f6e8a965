--- Domains: creating, dropping, renaming, moving and altering them. Their
--- constraints after creation are in domain_constraint.lua.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local datatype = require "moontide.object.datatype"
local lookup = require "moontide.object.lookup"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"
local value = require "moontide.value"

---@class moontide.DomainCheck
---@field expression string
---@field name? string
---@field not_valid? true
---@field comment? string

local domain = {}

local check_shape = { name = check.name, not_valid = check.flag, comment = check.text }

--- A check of a domain: SQL text about VALUE, or { text, name =, not_valid =, comment = }.
---@param given any
---@param what string
---@return moontide.DomainCheck
function domain.read_check(given, what)
  if value.kind(given) ~= "table" then given = { given } end
  local c = check.shape(given, what, check_shape, 1)
  c.expression = check.expression(given[1], what)
  for _, option in ipairs { "comment", "not_valid" } do
    if c[option] and not c.name then check.refuse(("%s: %s needs a name"):format(what, option)) end
  end
  return c
end

--- The reverse of `read_check`.
---@param c moontide.DomainCheck
---@return table|string
function domain.write_check(c)
  local item = clause.pick(c, check_shape)
  if next(item) == nil then return c.expression end
  item[1] = c.expression
  return item
end

--- CONSTRAINT name CHECK (...)
---@param c moontide.DomainCheck
---@return string
function domain.check_sql(c)
  return clause.words(c.name and "CONSTRAINT " .. quote.ident(c.name), "CHECK (" .. c.expression .. ")",
    c.not_valid and "NOT VALID")
end

--- COMMENT ON CONSTRAINT ... ON DOMAIN ...
---@param c moontide.DomainCheck
---@param name string  the domain as SQL
---@return string
function domain.comment_sql(c, name)
  return ("COMMENT ON CONSTRAINT %s ON DOMAIN %s IS %s"):format(quote.ident(c.name), name, quote.literal(c.comment))
end

local function create(o)
  local parts = { clause.words("CREATE DOMAIN", quote.qualified(o.schema, o.name), "AS", o.type,
    o.collation and "COLLATE " .. clause.object_name(o.collation),
    o.default ~= nil and "DEFAULT " .. clause.default(o.default), o.nullable == false and "NOT NULL") }
  for _, c in ipairs(o.checks or {}) do
    if not c.not_valid then parts[#parts + 1] = domain.check_sql(c) end
  end
  return table.concat(parts, "\n  ")
end

-- A check that its values need not meet yet can only be added later.
local function after(o)
  local name, statements = quote.qualified(o.schema, o.name), {}
  for _, c in ipairs(o.checks or {}) do
    if c.not_valid then statements[#statements + 1] = ("ALTER DOMAIN %s ADD %s"):format(name, domain.check_sql(c)) end
    if c.comment then statements[#statements + 1] = domain.comment_sql(c, name) end
  end
  return statements
end

local function write(options)
  local checks = {}
  for i, c in ipairs(options.checks or {}) do checks[i] = domain.write_check(c) end
  options.checks = options.checks and checks
  return options
end

local definition = [[
SELECT format_type(t.typbasetype, t.typtypmod) AS type, t.typnotnull AS not_null,
       pg_get_expr(t.typdefaultbin, 0) AS default_text,
       (SELECT json_build_object('name', l.collname, 'schema', n.nspname) FROM pg_collation l
        JOIN pg_namespace n ON n.oid = l.collnamespace
        WHERE l.oid = t.typcollation AND l.oid <> b.typcollation) AS collation,
       (SELECT json_agg(json_build_object('name', c.conname, 'expression', pg_get_expr(c.conbin, 0),
          'not_valid', nullif(NOT c.convalidated, false), 'comment', obj_description(c.oid, 'pg_constraint'))
          ORDER BY c.conname)
        FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c') AS checks
FROM pg_type t JOIN pg_type b ON b.oid = t.typbasetype WHERE t.oid = w.oid]]

--- The type, default, collation and checks of a domain in the catalog; nil when there is none.
---@param o table
---@param query fun(sql: string): table
---@return table?
function domain.look(o, query)
  return lookup.row(query, datatype.oid(o, "d"), definition)
end

local function describe(o, query, found)
  local row = domain.look(o, query)
  if not row then return nil end
  found.type, found.checks, found.collation = row.type, row.checks, row.collation
  found.default = row.default_text and value.sql(row.default_text)
  if row.not_null then found.nullable = false end
  return found
end

datatype.register {
  thing = "domain",
  words = "DOMAIN",
  typtype = "d",
  summaries = { "Create a domain", "Drop a domain", "Rename a domain", "Move a domain into another schema" },
  content = { { "type", check.type, "the type" } },
  inline = "first",
  shape = {
    default = check.value, nullable = check.boolean, collation = clause.object,
    checks = check.list_of(domain.read_check),
  },
  example = '"text", nullable = false',
  write = write,
  create = create,
  after = after,
  describe = describe,
}

local state_shape = { default = check.value, nullable = check.boolean }

local function read_state(given, what)
  return check.shape(check.table(given, what), what, state_shape)
end

local alter_shape = check.join(state_shape, { schema = check.name, existing = read_state })

local function is_null(given) return given ~= nil and value.kind(given) == "null" end

local function alter_sql(o)
  local head, statements = "ALTER DOMAIN " .. quote.qualified(o.schema, o.name), {}
  if is_null(o.default) then
    statements[1] = head .. " DROP DEFAULT"
  elseif o.default ~= nil then
    statements[1] = head .. " SET DEFAULT " .. clause.default(o.default)
  end
  if o.nullable ~= nil then
    statements[#statements + 1] = head .. (o.nullable and " DROP NOT NULL" or " SET NOT NULL")
  end
  return statements
end

-- Whether values may be NULL is known from the change itself: unless it was no change.
local function state_before(o)
  local existing = o.existing or {}
  if o.default ~= nil and existing.default == nil then
    return nil, ('the default of the domain "%s" is not known: give existing, as in existing = { default = null }')
      :format(o.name)
  end
  local before = { default = o.default ~= nil and existing.default or nil }
  if o.nullable ~= nil then before.nullable = existing.nullable == nil and not o.nullable or existing.nullable end
  return before
end

local function state_now(o)
  local now = clause.pick(o, state_shape)
  return next(now) ~= nil and now or nil
end

operation.register {
  name = "alter_domain",
  summary = "Change the default of a domain, or whether it may be null",
  build = function(name, options)
    local o = check.options(options, alter_shape)
    o.name = check.name(name, "the domain name")
    if state_now(o) == nil then
      check.refuse("nothing to change", "Give default or nullable.")
    end
    return o
  end,
  sql = alter_sql,
  inverse = function(o)
    local options, reason = state_before(o)
    if not options then return nil, reason end
    options.schema, options.existing = o.schema, state_now(o)
    return { operation.build("alter_domain", o.name, options) }
  end,
  capture = function(o, query)
    local found = domain.look(o, query)
    if not found then return nil end
    return { existing = { default = found.default_text and value.sql(found.default_text) or value.null,
      nullable = not found.not_null } }
  end,
  lock = function() return {} end,
  source = function(o) return source.call("alter_domain", o.name, clause.pick(o, alter_shape)) end,
}

return domain
