--- What a statement does, as far as rules look at it: an index is created on a
--- table, a constraint is added to it, a column gets another type. The statements of
--- operations, of op.execute and of `.sql` files are read alike, so a rule says of
--- all of them what it says of one. What is not understood has no effects.

local column = require "moontide.lint.effect.column"
local scan = require "moontide.sql.scan"
local token = require "moontide.sql.token"
local alter = require "moontide.lint.effect.alter"

local effect = {}

---@class moontide.Effect
---@field kind string      "create_index", "add_constraint", "alter_type" ...
---@field table? { schema?: string, name: string }
---@field temporary? boolean  of create_table
---@field fresh? boolean   the table was created in the same revision
---@field transaction? integer  which transaction of the revision it is in; nil: none
---@field held? boolean    an earlier statement of the transaction keeps others from the table
---@field own? boolean     of drop_column and rename_column: the revision has added the column
---@field proved? boolean  of set_not_null: a validated check says so already
---@field column? moontide.LintColumn           of add_column
---@field columns? moontide.LintColumn[]        of create_table
---@field constraint? moontide.LintConstraint   of add_constraint
---@field name? string     of what is created, dropped, renamed or changed

local function create_index(cursor)
  local e = { kind = "create_index", concurrently = cursor:take "CONCURRENTLY" }
  cursor:take "IF NOT EXISTS"
  if not cursor:is "ON" then e.name = (cursor:relation() or {}).name end
  if not cursor:take "ON" then return nil end
  e.only = cursor:take "ONLY"
  e.table = cursor:relation()
  if cursor:take "USING" then cursor:identifier() end
  e.column_names = column.names(cursor:group())
  e.partial = cursor:find "WHERE" ~= nil
  return { e }
end

local function create_table(cursor)
  cursor:take "IF NOT EXISTS"
  local e = { kind = "create_table", table = cursor:relation(), columns = {}, constraints = {} }
  if cursor:take "PARTITION OF" then e.parent = cursor:relation() return { e } end
  local items = cursor:group()
  if items and not cursor:find "AS" then e.columns, e.constraints = column.body(items) end
  return { e }
end

local function create_materialized(cursor)
  cursor:take "IF NOT EXISTS"
  return { { kind = "create_table", table = cursor:relation(), columns = {}, constraints = {} } }
end

-- One effect for each relation of a list.
local function of_each(kind)
  return function(cursor)
    cursor:skip("IF EXISTS", "ONLY", "TABLE")
    local list = {}
    for _, item in ipairs(cursor:items()) do
      list[#list + 1] = { kind = kind, table = token.cursor(item):relation() }
    end
    return list
  end
end

local function reindex(cursor)
  local concurrently = false
  for _, item in ipairs(cursor:group() or {}) do
    concurrently = concurrently or item[1] ~= nil and item[1].text == "CONCURRENTLY"
  end
  local what = cursor:identifier()
  concurrently = cursor:take "CONCURRENTLY" or concurrently
  local relation = cursor:relation()
  return { { kind = "reindex", what = what, name = relation and relation.name, concurrently = concurrently,
    table = what == "table" and relation or nil } }
end

local function refresh(cursor)
  local concurrently = cursor:take "CONCURRENTLY"
  return { { kind = "refresh", concurrently = concurrently, table = cursor:relation(),
    empty = cursor:take "WITH NO DATA" } }
end

local function lock(cursor)
  cursor:skip("TABLE", "ONLY")
  local relation, mode = cursor:relation(), "ACCESS EXCLUSIVE"
  local position = cursor:find "IN"
  if position then mode = column.text(cursor.tokens):match(" IN ([%u ]+) MODE") or mode end
  return { { kind = "lock_table", table = relation, mode = mode } }
end

-- The condition of an UPDATE or DELETE; where the text is too long to be read it may have one.
local function condition(cursor)
  local position = cursor:find "WHERE"
  if not position then return cursor.tokens.cut and {} or nil end
  return table.move(cursor.tokens, position, #cursor.tokens, 1, {})
end

local function write(kind)
  return function(cursor)
    cursor:take "ONLY"
    return { { kind = kind, table = cursor:relation(), where = condition(cursor) } }
  end
end

local function vacuum(cursor)
  local full = cursor:take "FULL"
  for _, item in ipairs(not full and cursor:group() or {}) do
    local off = item[2] and (item[2].text == "FALSE" or item[2].text == "OFF" or item[2].text == "0")
    full = full or item[1] ~= nil and item[1].text == "FULL" and not off
  end
  cursor:skip("FREEZE", "VERBOSE", "ANALYZE")
  return full and { { kind = "rewrite", command = "VACUUM FULL", table = cursor:relation() } } or {}
end

local function cluster(cursor)
  cursor:take "VERBOSE"
  cursor:group()
  return { { kind = "rewrite", command = "CLUSTER", table = cursor:relation() } }
end

-- The readers of statements, by how these begin.
local readers = {
  { "ALTER TABLE", alter.read },
  { "ALTER INDEX", function() return {} end },
  { "DROP TABLE", of_each "drop_table" },
  { "TRUNCATE", of_each "truncate" },
  { "REINDEX", reindex },
  { "REFRESH MATERIALIZED VIEW", refresh },
  { "LOCK", lock },
  { "UPDATE", write "update" },
  { "DELETE FROM", write "delete" },
  { "VACUUM", vacuum },
  { "CLUSTER", cluster },
}

local creates = {
  { "INDEX", create_index }, { "TABLE", create_table }, { "MATERIALIZED VIEW", create_materialized },
  { "VIEW", function(cursor) return { { kind = "create_view", table = cursor:relation() } } end },
}

local function first_of(list, cursor)
  for _, reader in ipairs(list) do
    if cursor:take(reader[1]) then return reader[2](cursor) or {} end
  end
  return {}
end

-- The effects of a CREATE; a table that the session alone sees says so.
local function create(cursor)
  local temporary = cursor:is "TEMP" or cursor:is "TEMPORARY" or cursor:is("TEMPORARY", 1) or cursor:is("TEMP", 1)
  cursor:skip("OR REPLACE", "UNIQUE", "TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL", "RECURSIVE")
  local list = first_of(creates, cursor)
  for _, e in ipairs(list) do e.temporary = temporary end
  return list
end

--- What a statement does.
---@param sql string
---@return moontide.Effect[]
function effect.of(sql)
  if scan.command(sql) == "INSERT" then return {} end
  local cursor = token.cursor(token.list(sql))
  if cursor:take "CREATE" then return create(cursor) end
  return first_of(readers, cursor)
end

return effect
