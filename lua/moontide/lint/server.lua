--- What rules want to know of the database that is there.

local quote = require "moontide.sql.quote"

local server = {}

---@class moontide.LintServer
---@field type_of fun(relation: table, column: string): string?   the type of a column
---@field proof fun(relation: table, column: string): string?     the validated check that says it is not null
---@field volatile fun(names: string[]): string?                  a function of these that is volatile

local function regclass(relation)
  return ("to_regclass(%s)"):format(quote.literal(quote.qualified(relation.schema, relation.name)))
end

local type_query = [[
SELECT format_type(atttypid, atttypmod) AS answer FROM pg_attribute
WHERE attrelid = %s AND attname = %s AND NOT attisdropped]]

-- The server's own text of a check that says nothing else, or of SET NOT NULL that is there.
local proof_query = [[
SELECT conname AS answer FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = %s
WHERE c.conrelid = %s AND c.contype = 'c' AND c.convalidated
  AND pg_get_expr(c.conbin, c.conrelid) = format('(%%I IS NOT NULL)', a.attname)
UNION ALL
SELECT '' FROM pg_attribute a WHERE a.attrelid = %s AND a.attname = %s AND a.attnotnull
LIMIT 1]]

local volatile_query = "SELECT proname AS answer FROM pg_proc WHERE provolatile = 'v' AND proname IN (%s) LIMIT 1"

--- Answers from a connection.
---@param db moontide.Db
---@return moontide.LintServer
function server.new(db)
  local function ask(sql)
    local row = db:exec(sql)[1]
    return row and row.answer
  end
  return {
    type_of = function(relation, column) return ask(type_query:format(regclass(relation), quote.literal(column))) end,
    proof = function(relation, column)
      local name, class = quote.literal(column), regclass(relation)
      return ask(proof_query:format(name, class, class, name))
    end,
    volatile = function(names)
      local list = {}
      for index, name in ipairs(names) do list[index] = quote.literal(name) end
      return ask(volatile_query:format(table.concat(list, ", ")))
    end,
  }
end

return server
