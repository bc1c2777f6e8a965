--- The constraints of domains: adding, dropping, renaming and validating checks.
---
--- A check that is added or validated is tested against every column of the domain, in
--- all tables, which cannot be written meanwhile. Which tables these are only the server knows.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local domain = require "moontide.object.domain"
local operation = require "moontide.operation"
local positional = require "moontide.object.positional"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local function no_lock() return {} end

local function domain_name(o)
  return quote.qualified(o.schema, o.domain)
end

local create_shape = { schema = check.name, not_valid = check.flag, comment = check.text }

local function read_names(o, name, domain_given)
  o.name, o.domain = check.name(name, "the constraint name"), check.name(domain_given, "the domain name")
  return o
end

operation.register {
  name = "create_domain_constraint",
  summary = "Add a check to a domain",
  build = function(name, domain_given, expression, options)
    local o = read_names(check.options(options, create_shape), name, domain_given)
    o.expression = check.expression(expression, "the condition")
    return o
  end,
  sql = function(o)
    local statements = { ("ALTER DOMAIN %s ADD %s"):format(domain_name(o), domain.check_sql(o)) }
    if o.comment then statements[2] = domain.comment_sql(o, domain_name(o)) end
    return statements
  end,
  inverse = function(o)
    local existing = domain.write_check { expression = o.expression, not_valid = o.not_valid, comment = o.comment,
      name = (o.not_valid or o.comment) and o.name or nil }
    return { operation.build("drop_domain_constraint", o.name, o.domain, { schema = o.schema, existing = existing }) }
  end,
  lock = no_lock,
  source = function(o)
    return source.call("create_domain_constraint", o.name, o.domain, o.expression, clause.pick(o, create_shape))
  end,
}

local drop_shape = {
  schema = check.name, if_exists = check.flag, cascade = check.flag, existing = domain.read_check,
}

local function create_again(o)
  local options = { schema = o.schema, not_valid = o.existing.not_valid, comment = o.existing.comment }
  return { operation.build("create_domain_constraint", o.name, o.domain, o.existing.expression, options) }
end

local function undo_drop(o)
  if o.absent then return {} end
  if not o.existing then
    return nil, ('the constraint "%s" is not known: give existing, as in existing = "value > 0"'):format(o.name)
  end
  return create_again(o)
end

local function capture(o, query)
  local found = domain.look({ schema = o.schema, name = o.domain }, query)
  for _, c in ipairs(found and found.checks or {}) do
    if c.name == o.name then return { existing = c } end
  end
  return { absent = true }
end

operation.register {
  name = "drop_domain_constraint",
  summary = "Drop a constraint of a domain",
  build = function(name, domain_given, options)
    return read_names(check.options(options, drop_shape), name, domain_given)
  end,
  sql = function(o)
    return { clause.words("ALTER DOMAIN", domain_name(o), "DROP CONSTRAINT", o.if_exists and "IF EXISTS",
      quote.ident(o.name), o.cascade and "CASCADE") }
  end,
  inverse = undo_drop,
  capture = capture,
  lock = no_lock,
  source = function(o)
    local options = clause.pick(o, drop_shape)
    options.existing = o.existing and domain.write_check(o.existing)
    return source.call("drop_domain_constraint", o.name, o.domain, options)
  end,
}

local schema_shape = { schema = check.name }

positional.register_rename {
  name = "rename_domain_constraint",
  summary = "Rename a constraint of a domain",
  arguments = { { "domain", check.name, "the domain name" }, { "name", check.name, "the constraint name" } },
  shape = schema_shape,
  sql = function(o) return ("ALTER DOMAIN %s RENAME CONSTRAINT %s"):format(domain_name(o), quote.ident(o.name)) end,
  lock = no_lock,
}

operation.register {
  name = "validate_domain_constraint",
  summary = "Check the values of a domain's constraint that was added NOT VALID",
  build = function(name, domain_given, options)
    return read_names(check.options(options, schema_shape), name, domain_given)
  end,
  sql = function(o)
    return { ("ALTER DOMAIN %s VALIDATE CONSTRAINT %s"):format(domain_name(o), quote.ident(o.name)) }
  end,
  -- A validated constraint holds for the schema before, too: nothing has to be undone.
  inverse = function() return {} end,
  lock = no_lock,
  source = function(o)
    return source.call("validate_domain_constraint", o.name, o.domain, clause.pick(o, schema_shape))
  end,
}
