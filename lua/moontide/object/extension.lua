--- Extensions: installing, updating, moving and dropping them.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local entity = require "moontide.object.entity"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local shape = { schema = check.name, version = check.text, comment = check.text }
local create_shape = check.join(shape, { if_not_exists = check.flag, cascade = check.flag })

local function version_sql(version)
  return quote.ident(version)
end

local function create_statements(o)
  local name = quote.ident(o.name)
  local statements = { clause.words("CREATE EXTENSION", o.if_not_exists and "IF NOT EXISTS", name,
    o.schema and "SCHEMA " .. quote.ident(o.schema), o.version and "VERSION " .. version_sql(o.version),
    o.cascade and "CASCADE") }
  if o.comment then
    statements[2] = ("COMMENT ON EXTENSION %s IS %s"):format(name, quote.literal(o.comment))
  end
  return statements
end

local function read_existing(given, what)
  return check.shape(check.table(given, what), what, shape)
end

local function write_existing(existing)
  return clause.pick(existing, shape)
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

local kind = {
  kind = "extension", thing = "extension", words = "EXTENSION", everywhere = true, read = read_existing,
  write = write_existing,
  capture = function(o, query)
    local row = look(o, query)
    return row and { schema = row.schema, version = row.version, comment = row.comment }
  end,
  create = function(o, existing) return { operation.build("create_extension", o.name, write_existing(existing)) } end,
  example = '{ schema = "public", version = "1.6" }',
}

operation.register {
  name = "create_extension",
  summary = "Install an extension",
  build = function(name, options)
    local o = check.options(options, create_shape)
    o.name = check.name(name, "the extension name")
    return o
  end,
  sql = create_statements,
  inverse = function(o)
    -- What cascade has installed beside it may have been there before, and stays.
    return entity.uncreate(kind, o, write_existing(o))
  end,
  capture = entity.capture_presence(function(o)
    return "SELECT FROM pg_extension WHERE extname = " .. quote.literal(o.name)
  end),
  lock = function() return {} end,
  source = function(o) return source.call("create_extension", o.name, clause.pick(o, create_shape)) end,
}

entity.register_drop(kind, "Drop an extension")

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
    statements[1] = clause.words(head, "UPDATE", o.version ~= true and "TO " .. version_sql(o.version))
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

return kind
