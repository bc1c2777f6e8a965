--- What an ALTER TABLE does, action by action.

local column = require "moontide.lint.effect.column"
local token = require "moontide.sql.token"

local alter = {}

local function add(cursor)
  local c = column.constraint(token.cursor(table.move(cursor.tokens, cursor.at, #cursor.tokens, 1, {})))
  if c then return { kind = "add_constraint", constraint = c, name = c.name } end
  cursor:take "COLUMN"
  cursor:take "IF NOT EXISTS"
  local added = column.read(cursor)
  return added and { kind = "add_column", column = added, name = added.name }
end

local function drop(cursor)
  if cursor:take "CONSTRAINT" then
    cursor:take "IF EXISTS"
    return { kind = "drop_constraint", name = cursor:identifier() }
  end
  cursor:take "COLUMN"
  cursor:take "IF EXISTS"
  return { kind = "drop_column", name = cursor:identifier() }
end

local function alter_type(cursor, name)
  local rest = table.move(cursor.tokens, cursor.at, #cursor.tokens, 1, {})
  local found = token.cursor(rest)
  local using, collation = found:find "USING", found:find "COLLATE"
  local last = math.min(using or math.huge, collation or math.huge)
  local words = table.move(rest, 1, last == math.huge and #rest or last - 2, 1, {})
  return { kind = "alter_type", name = name, type = column.text(words),
    using = using and column.text(table.move(rest, using, #rest, 1, {})), collation = collation ~= nil }
end

local function alter_column(cursor)
  if cursor:take "CONSTRAINT" then return nil end
  cursor:take "COLUMN"
  local name = cursor:identifier()
  if cursor:take "SET DATA TYPE" or cursor:take "TYPE" then return alter_type(cursor, name) end
  if cursor:take "SET NOT NULL" then return { kind = "set_not_null", name = name } end
  if cursor:take "SET EXPRESSION" then return { kind = "rewrite", command = "SET EXPRESSION", name = name } end
  return { kind = "alter_column", name = name }
end

local function rename(cursor)
  if cursor:take "CONSTRAINT" then return nil end
  if cursor:take "TO" then return { kind = "rename_table", new_name = cursor:identifier() } end
  cursor:take "COLUMN"
  local name = cursor:identifier()
  cursor:take "TO"
  return { kind = "rename_column", name = name, new_name = cursor:identifier() }
end

local function validate(cursor)
  cursor:take "CONSTRAINT"
  return { kind = "validate_constraint", name = cursor:identifier() }
end

local function rewriting(command)
  return function() return { kind = "rewrite", command = command } end
end

-- The readers of actions, by their first words.
local actions = {
  { "ADD", add }, { "DROP", drop }, { "ALTER", alter_column }, { "RENAME", rename }, { "VALIDATE", validate },
  { "SET LOGGED", rewriting "SET LOGGED" }, { "SET UNLOGGED", rewriting "SET UNLOGGED" },
  { "SET TABLESPACE", rewriting "SET TABLESPACE" }, { "SET ACCESS METHOD", rewriting "SET ACCESS METHOD" },
  { "SET SCHEMA", function(cursor) return { kind = "rename_table", new_schema = cursor:identifier() } end },
  { "ATTACH PARTITION", function(cursor) return { kind = "attach_partition", child = cursor:relation() } end },
}

local function action(tokens)
  local cursor = token.cursor(tokens)
  for _, reader in ipairs(actions) do
    if cursor:take(reader[1]) then return reader[2](cursor) end
  end
  return nil
end

--- The effects of an ALTER TABLE; the cursor stands behind these words.
---@param cursor moontide.Cursor
---@return moontide.Effect[]
function alter.read(cursor)
  if cursor:is "ALL" then return {} end
  cursor:skip("IF EXISTS", "ONLY")
  local relation, list = cursor:relation(), {}
  cursor:take "*"
  for _, item in ipairs(cursor:items()) do
    local e = action(item)
    if e then
      e.table = relation
      list[#list + 1] = e
    end
  end
  return list
end

return alter
