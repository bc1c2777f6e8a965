--- What is known when a statement's turn comes: which tables are new, what the
--- transaction keeps others from, what is proved. It is written into the effects,
--- so that a rule has nothing to remember.

local situation = {}

---@class moontide.Situation
---@field server? moontide.LintServer   answers from the catalog
local Situation = {}
Situation.__index = Situation

--- What is known before the first statement of a revision.
---@param coming { schema?: string, name: string }[]  the relations that the revision creates
---@param types table<string, string>  of columns, as revisions before made them; kept here for those after
---@param server? moontide.LintServer
---@return moontide.Situation
function situation.new(coming, types, server)
  return setmetatable({
    coming = coming, types = types, server = server, created = {}, columns = {}, checks = {}, held = {},
  }, Situation)
end

--- Whether two names mean one relation. Without a schema a name may be in any.
---@param a? { schema?: string, name: string }
---@param b? { schema?: string, name: string }
---@return boolean
function situation.same(a, b)
  if not a or not b or a.name ~= b.name then return false end
  return not a.schema or not b.schema or a.schema == b.schema
end

local function holds(list, relation)
  for _, known in ipairs(list) do
    if situation.same(known, relation) then return true end
  end
  return false
end

--- Whether a table was created by the statements before.
---@param relation { schema?: string, name: string }
---@return boolean
function Situation:is_fresh(relation) return holds(self.created, relation) end

-- The column of the revision that a name means.
local function added_column(self, relation, name)
  for index = #self.columns, 1, -1 do
    local c = self.columns[index]
    if c.name == name and situation.same(c.table, relation) then return c end
  end
  return nil
end

-- Checks ----------------------------------------------------------------------

-- Columns that an expression says are not null: it is that, or joins such by AND.
local function proofs_of(tokens)
  local proofs, words = {}, {}
  for _, found in ipairs(tokens or {}) do
    if found.text == "OR" or found.text == "CASE" or found.text == "," then return {} end
    if found.text ~= "(" and found.text ~= ")" then words[#words + 1] = found end
  end
  for index = 1, #words - 3 do
    local before = words[index - 1]
    if words[index + 1].text == "IS" and words[index + 2].text == "NOT" and words[index + 3].text == "NULL"
      and (not before or before.text == "AND") and words[index].name then
      proofs[words[index].name] = true
    end
  end
  return proofs
end

local function add_check(self, e)
  local c, proofs = e.constraint, {}
  if c.type == "check" then proofs = proofs_of(c.expression) end
  if c.type == "not null" and c.columns[1] then proofs = { [c.columns[1]] = true } end
  if next(proofs) == nil then return end
  table.insert(self.checks, { table = e.table, name = c.name, proofs = proofs, valid = not c.not_valid })
end

local function validate(self, e)
  for _, item in ipairs(self.checks) do
    if item.name == e.name and situation.same(item.table, e.table) then item.valid = true end
  end
end

-- The name of the check by which a column is proved not to be null.
local function proof(self, e)
  for _, item in ipairs(self.checks) do
    if item.valid and item.proofs[e.name] and situation.same(item.table, e.table) then return item.name or "" end
  end
  return self.server and self.server.proof(e.table, e.name)
end

local function is_dropped(effects, name)
  for _, e in ipairs(effects) do
    if e.kind == "drop_constraint" and e.name == name then return true end
  end
  return false
end

-- A check that the same ALTER TABLE drops proves nothing any more.
local function prove(self, e, effects)
  local name = proof(self, e)
  e.proved = name ~= nil and name ~= false and not is_dropped(effects, name)
end

-- Columns ---------------------------------------------------------------------

local function functions_of(tokens)
  local names = {}
  for index, found in ipairs(tokens or {}) do
    local after = tokens[index + 1]
    if found.name and after and after.text == "(" then names[#names + 1] = found.name end
  end
  return names
end

local volatile = {}
for name in ("random clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 uuid_generate_v1 uuid_generate_v1mc "
  .. "uuid_generate_v4 gen_random_bytes nextval setval lastval currval random_normal"):gmatch("%S+") do
  volatile[name] = true
end

-- The function by which a default has another value for each row.
local function volatile_of(self, tokens)
  local names = functions_of(tokens)
  for _, name in ipairs(names) do
    if volatile[name] then return name end
  end
  return names[1] and self.server and self.server.volatile(names) or nil
end

-- A schema that is left out means the same one each time, whichever it is.
local function type_key(relation, name) return (relation.schema or "") .. "\0" .. relation.name .. "\0" .. name end

local function add_column(self, e)
  self.types[type_key(e.table, e.column.name)] = e.column.type
  e.volatile = volatile_of(self, e.column.default)
  table.insert(self.columns, { table = e.table, name = e.column.name })
end

-- The words of a condition that name columns of this revision.
local function is_about_new_columns(self, e)
  for _, found in ipairs(e.where or {}) do
    if found.name and added_column(self, e.table, found.name) then return true end
  end
  return false
end

local function write(self, e)
  e.whole = e.where == nil or is_about_new_columns(self, e)
end

-- What the revisions before made of a column comes after what the database has.
local function alter_type(self, e)
  local key = type_key(e.table, e.name)
  e.before = e.before or self.types[key] or self.server and self.server.type_of(e.table, e.name) or nil
  self.types[key] = e.type
end

-- A column that the revision has added is used by nobody yet.
local function own_column(self, e)
  local c = added_column(self, e.table, e.name)
  e.own = c ~= nil
  if c and e.new_name then table.insert(self.columns, { table = e.table, name = e.new_name }) end
end

-- Tables ----------------------------------------------------------------------

local function create(self, e)
  self.created[#self.created + 1] = e.table
  for _, c in ipairs(e.columns) do self.types[type_key(e.table, c.name)] = c.type end
end

-- A view of the old name, or another table, takes the place of a renamed one.
local function rename(self, e)
  e.replaced = holds(self.coming, e.table)
  if not e.fresh then return end
  table.insert(self.created, { schema = e.new_schema or e.table.schema, name = e.new_name or e.table.name })
end

local seeing = {
  create_table = create, rename_table = rename, add_constraint = add_check, validate_constraint = validate,
  set_not_null = prove, add_column = add_column, alter_type = alter_type, update = write, delete = write,
  rename_column = own_column, drop_column = own_column,
}

-- What keeps writers, or everybody, from a table until the end of the transaction.
local blocking = {}
for kind in ("add_column drop_column alter_column alter_type set_not_null add_constraint drop_constraint rewrite "
  .. "rename_table rename_column drop_table truncate lock_table create_index refresh"):gmatch("%S+") do
  blocking[kind] = true
end

-- What keeps everybody out. A table that is dropped is used by nobody any more.
local not_exclusive = { create_index = true, lock_table = true, drop_table = true }
local exclusive = {}
for kind in pairs(blocking) do exclusive[kind] = not_exclusive[kind] == nil end

local function is_exclusive(e)
  if e.kind == "add_constraint" then return e.constraint.type ~= "foreign key" end
  return exclusive[e.kind] or e.kind == "lock_table" and e.mode == "ACCESS EXCLUSIVE"
end

local function hold(self, e, transaction)
  if not transaction or e.fresh or not e.table or not blocking[e.kind] then return end
  self.held[transaction] = self.held[transaction] or {}
  table.insert(self.held[transaction], { schema = e.table.schema, name = e.table.name, exclusive = is_exclusive(e) })
end

-- Another table from which the transaction keeps everybody.
local function other_held(self, e, transaction)
  for _, held in ipairs(self.held[transaction] or {}) do
    if held.exclusive and not situation.same(held, e.table) then return held end
  end
  return nil
end

local function note_locks(self, e, transaction)
  local held = self.held[transaction] or {}
  e.held = holds(held, e.table)
  if transaction and e.table and not e.fresh and not e.held and is_exclusive(e) then
    e.beside = other_held(self, e, transaction)
  end
end

--- Write into the effects of a statement what is known before each.
---@param statement moontide.Statements
function Situation:see(statement)
  local transaction = statement.transaction
  for _, e in ipairs(statement.effects) do
    e.transaction, e.fresh = transaction, e.table ~= nil and self:is_fresh(e.table)
    note_locks(self, e, transaction or 0)
    if seeing[e.kind] then seeing[e.kind](self, e, statement.effects) end
  end
  for _, e in ipairs(statement.effects) do hold(self, e, transaction) end
end

return situation
