--- Which objects of a database are its users': not the server's, not those of
--- extensions, not Moontide's own.

local quote = require "moontide.sql.quote"

---@class moontide.ScopeOptions
---@field schemas? string[]                        schemas to leave out whole
---@field stays? fun(schema: string): boolean      whether a schema may stay where it is while declarations are built
---@field version? integer                         of the server; default: the newest
---@field relations? { schema?: string, name: string }[]  tables to leave out

local scope = {}

local function array(names)
  local literals = {}
  for i, name in ipairs(names) do literals[i] = quote.literal(name) end
  return ("ARRAY[%s]::text[]"):format(table.concat(literals, ", "))
end

local function not_relations(list)
  local parts = {}
  for i, relation in ipairs(list) do
    parts[i] = (" AND NOT (c.relname = %s AND n.nspname = %s)"):format(quote.literal(relation.name),
      quote.literal(relation.schema or "public"))
  end
  return table.concat(parts)
end

--- Options with the version of a server.
---@param db moontide.Db
---@param options? moontide.ScopeOptions
---@return moontide.ScopeOptions
function scope.on(db, options)
  return setmetatable({ version = db:server_version() }, { __index = options })
end

-- Functions and casts that come with a range type.
local made_by_server = { pg_proc = true, pg_cast = true }

--- A function that fills in the conditions of a query: `{schemas}` on n.nspname, `{free CATALOG OID}` for what is
--- no member of an extension, `{relations}` on c and n.
---@param options? moontide.ScopeOptions
---@return fun(sql: string): string
function scope.new(options)
  options = options or {}
  local schemas = ("(n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%s))")
    :format(array(options.schemas or {}))
  local relations = not_relations(options.relations or {})
  return function(sql)
    sql = sql:gsub("{free ([%w_]+) ([%w_.]+)}", function(catalog, oid)
      return ("NOT EXISTS (SELECT FROM pg_depend z WHERE z.classid = '%s'::regclass AND z.objid = %s "
        .. "AND z.deptype IN (%s))"):format(catalog, oid, made_by_server[catalog] and "'e', 'i'" or "'e'")
    end)
    sql = sql:gsub("{relations}", function() return "{schemas}" .. relations end)
    return (sql:gsub("{schemas}", function() return schemas end))
  end
end

return scope
