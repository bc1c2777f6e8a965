--- What enum, composite and range types and domains have in common.

local check = require "moontide.check"
local lifecycle = require "moontide.object.lifecycle"
local owned = require "moontide.object.owned"
local quote = require "moontide.sql.quote"

local datatype = {}

--- SQL that answers the oid of a type of a kind.
---@param o table
---@param typtype string  of pg_type
---@return string
function datatype.oid(o, typtype)
  return "SELECT oid FROM pg_type WHERE " .. datatype.condition(o, typtype)
end

--- The condition that finds it.
---@param o table
---@param typtype string
---@return string
function datatype.condition(o, typtype)
  return ("oid = to_regtype(%s) AND typtype = '%s'"):format(quote.reference(o.schema, o.name), typtype)
end

local function schema_of(o)
  return ("SELECT n.nspname AS name FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
    .. "WHERE t.oid = to_regtype(%s)"):format(quote.reference(o.schema, o.name))
end

-- What types have in common, and then what the kind reads.
local function look(kind)
  return function(o, query)
    local found = owned.capture(query, { catalog = "pg_type", prefix = "typ", letter = "T",
      condition = datatype.condition(o, kind.typtype) })
    return found and kind.describe(o, query, found)
  end
end

--- Register create, drop, rename and set_schema of a kind of type. It has `typtype`, and `describe` instead of
--- `look`: what adds to a definition what is special about the kind.
---@param kind table  a moontide.ObjectKind
function datatype.register(kind)
  local words = kind.words or "TYPE"
  kind.title, kind.words, kind.loses = words:lower(), words, "cascade"
  kind.identity = { { "name", check.name, ("the %s name"):format(kind.title) } }
  kind.owned = { words = words, privileges = { "usage" } }
  kind.look, kind.schema_of = look(kind), schema_of
  lifecycle.register(kind)
end

return datatype
