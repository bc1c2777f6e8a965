--- Adding a column online: it takes a moment, unless every row is written anew or the
--- table is read. What does that is refused, with another way to the same end.

local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local column = {}

local in_batches = "Add it nullable and without that, set the default, fill the rows in batches, "
  .. "then alter_column with nullable = false, online = true."

local serial = { smallserial = true, serial = true, bigserial = true }

local separate = {
  { "primary_key", "create_primary_key" }, { "unique", "create_unique_constraint" },
  { "check", "create_check_constraint" }, { "index", "create_index" },
}

--- Why a column cannot be added online, and what to do instead; nil when it can be, as far as the definition tells.
---@param c moontide.Column
---@return string? message
---@return string? hint
function column.problem(c)
  if c.identity or serial[c.type] then
    return "an identity or serial column rewrites the table", in_batches .. " The identity comes last, by alter_column."
  end
  if c.generated and not c.generated.virtual then
    return "a stored generated column rewrites the table",
      "Use an ordinary column that a trigger fills, or a virtual one."
  end
  for _, pair in ipairs(separate) do
    if c[pair[1]] then
      return ("%s reads the table under a lock"):format(pair[1]),
        ("Add the column without it, then use %s with online = true."):format(pair[2])
    end
  end
  if c.references and c.default ~= nil then
    return "references together with a default reads the table under a lock",
      "Add the column without references, then use create_foreign_key with online = true."
  end
end

-- Words before a parenthesis.
local function functions_of(text)
  local names = {}
  for name in text:gmatch('([%w_]+)"?%s*%(') do names[#names + 1] = quote.literal(name:lower()) end
  return names
end

local volatile = "SELECT DISTINCT proname AS name FROM pg_proc WHERE provolatile = 'v' AND proname IN (%s) ORDER BY 1"

local function refuse(o, message, hint)
  fault.raise("operation", "add_column: " .. message, { where = o.where, operation = o.kind, hint = hint })
end

--- Refuse a column that would rewrite the table or read it under a lock.
---@param o moontide.Operation
---@param ask? fun(sql: string): table
function column.check(o, ask)
  local message, hint = column.problem(o.column)
  if message then refuse(o, message, hint) end
  if not ask or not value.is_expression(o.column.default) then return end
  local names = functions_of(value.literal(o.column.default))
  local row = names[1] and ask(volatile:format(table.concat(names, ", ")))[1]
  if not row then return end
  refuse(o, ("the default rewrites the table: %s() has another value for each row"):format(row.name), in_batches)
end

return column
