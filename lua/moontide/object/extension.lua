--- Extensions: installing, updating, moving and dropping them.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lifecycle = require "moontide.object.lifecycle"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local function create(o)
  return clause.words("CREATE EXTENSION", o.if_not_exists and "IF NOT EXISTS", quote.ident(o.name),
    o.schema and "SCHEMA " .. quote.ident(o.schema), o.version and "VERSION " .. quote.ident(o.version),
    o.cascade and "CASCADE")
end

-- An extension brings its comment; one that somebody changed is kept.
local definition = [[
SELECT n.nspname AS schema, e.extversion AS version,
       nullif(obj_description(e.oid, 'pg_extension'), a.comment) AS comment
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     LEFT JOIN pg_available_extensions a ON a.name = e.extname
WHERE e.extname = %s]]

local function look(o, query)
  return query(definition:format(quote.literal(o.name)))[1]
end

-- What cascade installs beside it may have been there before, and stays when it is dropped again.
lifecycle.register {
  thing = "extension",
  summaries = { "Install an extension", "Drop an extension" },
  identity = { { "name", check.name, "the extension name" } },
  place = {},
  shape = { schema = check.name, version = check.text },
  making = { if_not_exists = check.flag, cascade = check.flag },
  example = 'schema = "public", version = "1.6"',
  loses = "cascade",
  create = create,
  look = look,
}

-- true: the version that the server installs by default
local function read_version(given, what)
  return given == true or check.text(given, what)
end

local function read_before(given, what)
  return check.shape(check.table(given, what), what, { version = check.text, schema = check.name })
end

local alter_shape = { version = read_version, schema = check.name, existing = read_before }

local function alter_statements(o)
  local head, statements = "ALTER EXTENSION " .. quote.ident(o.name), {}
  if o.version then
    statements[1] = clause.words(head, "UPDATE", o.version ~= true and "TO " .. quote.ident(o.version))
  end
  if o.schema then statements[#statements + 1] = head .. " SET SCHEMA " .. quote.ident(o.schema) end
  return statements
end

local function before(o)
  local options, existing = {}, o.existing or {}
  for _, option in ipairs { "version", "schema" } do
    if o[option] and not existing[option] then
      return nil, ('the %s of the extension "%s" is not known: give existing, as in existing = { %s = "..." }')
        :format(option, o.name, option)
    end
    options[option] = o[option] and existing[option]
  end
  return options
end

operation.register {
  name = "alter_extension",
  summary = "Update an extension, or move it into another schema",
  build = function(name, options)
    local o = check.options(options, alter_shape)
    o.name = check.name(name, "the extension name")
    if not o.version and not o.schema then check.refuse("nothing to change", "Give version or schema.") end
    return o
  end,
  sql = alter_statements,
  inverse = function(o)
    local options, reason = before(o)
    if not options then return nil, reason end
    local now = { version = o.version ~= true and o.version or nil, schema = o.schema }
    options.existing = next(now) ~= nil and now or nil
    return { operation.build("alter_extension", o.name, options) }
  end,
  capture = function(o, query)
    local row = look(o, query)
    return row and { existing = { version = row.version, schema = row.schema } }
  end,
  lock = function() return {} end,
  source = function(o) return source.call("alter_extension", o.name, clause.pick(o, alter_shape)) end,
}
