--- Settings of tables that have one value each: storage parameters, the tablespace,
--- the access method, replica identity, the index to cluster by, logged or not.
---
--- Storage parameters and the tablespace of an index are set by its name in the same way.

local alter = require "moontide.object.alter"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local lookup = require "moontide.object.lookup"
local operation = require "moontide.operation"
local parameter = require "moontide.object.parameter"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

---@class moontide.TableSetting
---@field name string
---@field summary string
---@field what string                         the value, in messages
---@field read moontide.Check
---@field write? fun(setting: any): any       the reverse
---@field clauses fun(setting: any): string[]
---@field mode? fun(setting: any): string     the lock; default: ACCESS EXCLUSIVE
---@field describe string                     a SELECT of what there is, in which w.oid is the relation
---@field told fun(found: table, setting: any): any  the setting that brings back what there is
---@field example string                      of `existing`, for messages

local function same(setting) return setting end
local function exclusive() return "ACCESS EXCLUSIVE" end
local function share_update() return "SHARE UPDATE EXCLUSIVE" end

local function inverse(kind, write)
  return function(o)
    if o.existing == nil then
      return nil, ('what the %s of "%s" was is not known: give existing, as in existing = %s')
        :format(kind.what, o.table, kind.example)
    end
    return { operation.build(kind.name, o.table, write(o.existing),
      { schema = o.schema, existing = write(o.setting) }) }
  end
end

local function capture(kind)
  return function(o, query)
    local oid = ("to_regclass(%s)"):format(quote.reference(o.schema, o.table))
    local found = lookup.row(query, oid, kind.describe)
    return found and { existing = kind.told(found, o.setting) } or nil
  end
end

local function register(kind)
  local write, mode = kind.write or same, kind.mode or exclusive
  local shape = { schema = check.name, existing = kind.read }
  alter.register {
    name = kind.name, summary = kind.summary, position = 1,
    build = function(relation, setting, options)
      local o = check.options(options, shape)
      o.table, o.setting = check.name(relation, "the table name"), kind.read(setting, "the " .. kind.what)
      return o
    end,
    clauses = function(o) return kind.clauses(o.setting) end,
    inverse = inverse(kind, write), capture = capture(kind),
    lock = function(o) return { { relation = quote.qualified(o.schema, o.table), mode = mode(o.setting) } } end,
    arguments = function(o)
      local existing = o.existing
      if existing ~= nil then existing = write(existing) end
      return o.table, write(o.setting), { schema = o.schema, existing = existing }
    end,
  }
end

-- Parameters that queries depend on as they are planned and run.
local strong = { user_catalog_table = true, fastupdate = true, buffering = true, security_barrier = true }

local function parameters_mode(changes)
  for key in pairs(changes.set) do
    if strong[key] then return "ACCESS EXCLUSIVE" end
  end
  for _, key in ipairs(changes.reset) do
    if strong[key] then return "ACCESS EXCLUSIVE" end
  end
  return "SHARE UPDATE EXCLUSIVE"
end

register {
  name = "set_storage_parameters",
  summary = "Set or reset storage parameters of a table or an index",
  what = "storage parameters", read = parameter.read_changes, write = parameter.write, clauses = parameter.clauses,
  mode = parameters_mode,
  describe = [[
SELECT (SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(c.reloptions) o) AS own,
  (SELECT json_object_agg('toast.' || o.option_name, o.option_value) FROM pg_options_to_table(t.reloptions) o) AS toast
FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.oid = w.oid]],
  told = function(found, changes)
    local all = found.own or {}
    for key, text in pairs(found.toast or {}) do all[key] = text end
    return parameter.before(changes, all)
  end,
  example = "{ fillfactor = 100 }",
}

register {
  name = "set_tablespace",
  summary = "Move a table or an index into another tablespace",
  what = "tablespace", read = check.name,
  clauses = function(name) return { "SET TABLESPACE " .. quote.ident(name) } end,
  describe = [[
SELECT coalesce(s.spcname, (SELECT d.spcname FROM pg_database b JOIN pg_tablespace d ON d.oid = b.dattablespace
  WHERE b.datname = current_database())) AS name
FROM pg_class c LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace WHERE c.oid = w.oid]],
  told = function(found) return found.name end,
  example = '"pg_default"',
}

register {
  name = "set_access_method",
  summary = "Rewrite a table with another access method",
  what = "access method", read = check.name,
  clauses = function(name) return { "SET ACCESS METHOD " .. quote.ident(name) } end,
  describe = "SELECT m.amname AS name FROM pg_class c JOIN pg_am m ON m.oid = c.relam WHERE c.oid = w.oid",
  told = function(found) return found.name end,
  example = '"heap"',
}

local identity_word = check.choice("default", "full", "nothing")
local identity_shape = { index = check.name }

local function read_identity(given, what)
  if value.kind(given) ~= "table" then return identity_word(given, what) end
  local identity = check.shape(given, what, identity_shape)
  check.name(identity.index, what .. " index")
  return identity
end

register {
  name = "set_replica_identity",
  summary = "Choose what logical replication identifies rows by",
  what = "replica identity", read = read_identity,
  clauses = function(identity)
    if type(identity) == "string" then return { "REPLICA IDENTITY " .. identity:upper() } end
    return { "REPLICA IDENTITY USING INDEX " .. quote.ident(identity.index) }
  end,
  describe = [[
SELECT c.relreplident AS mode, (SELECT n.relname FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid
  WHERE i.indrelid = c.oid AND i.indisreplident) AS index
FROM pg_class c WHERE c.oid = w.oid]],
  told = function(found)
    local words = { d = "default", f = "full", n = "nothing" }
    return words[found.mode] or { index = found.index }
  end,
  example = '"default"',
}

local function read_cluster(given, what)
  return given ~= false and check.name(given, what)
end

register {
  name = "set_cluster",
  summary = "Choose the index that CLUSTER orders a table by",
  what = "index to cluster by", read = read_cluster, mode = share_update,
  clauses = function(name)
    return { name and "CLUSTER ON " .. quote.ident(name) or "SET WITHOUT CLUSTER" }
  end,
  describe = [[
SELECT (SELECT n.relname FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid
  WHERE i.indrelid = w.oid AND i.indisclustered) AS name]],
  told = function(found) return found.name or false end,
  example = "false",
}

-- Written to the log or not: each undoes the other.
local function register_logged(name, other, summary)
  local shape = { schema = check.name }
  alter.register {
    name = name, summary = summary, position = 1,
    build = function(relation, options)
      local o = check.options(options, shape)
      o.table = check.name(relation, "the table name")
      return o
    end,
    clauses = function() return { (name:upper():gsub("_", " ")) } end,
    inverse = function(o) return { operation.build(other, o.table, { schema = o.schema }) } end,
    arguments = function(o) return o.table, clause.pick(o, shape) end,
  }
end

register_logged("set_logged", "set_unlogged", "Make an unlogged table survive a crash")
register_logged("set_unlogged", "set_logged", "Make a table faster to write, and empty after a crash")
