--- Deleting a row of the referenced table, or changing its key, looks for rows that refer
--- to it: without an index it reads the whole table. Only columns that the revision
--- makes are looked at; others may have an index that is not seen here.

local said = require "moontide.lint.said"
local situation = require "moontide.lint.situation"

-- An index serves when its first columns are those of the key, in any order.
local function serves(index, columns)
  local first = {}
  for position = 1, #columns do first[index.columns[position] or ""] = true end
  for _, name in ipairs(columns) do
    if not first[name] then return false end
  end
  return true
end

local function is_indexed(ctx, relation, columns)
  for _, index in ipairs(ctx.indexes) do
    if situation.same(index.table, relation) and serves(index, columns) then return true end
  end
  return false
end

local function keys_of_table(e)
  local keys = {}
  for _, c in ipairs(e.columns) do
    if c.references then keys[#keys + 1] = { c.name } end
  end
  for _, c in ipairs(e.constraints) do
    if c.type == "foreign key" then keys[#keys + 1] = c.columns end
  end
  return keys
end

local function is_new(ctx, relation, name)
  for _, c in ipairs(ctx.columns) do
    if c.name == name and situation.same(c.table, relation) then return true end
  end
  return false
end

-- The columns of foreign keys of which all indexes there can be are known.
local function keys_of(e, ctx)
  if e.temporary then return {} end
  if e.kind == "create_table" then return keys_of_table(e) end
  if e.kind == "add_column" then return e.column.references and { { e.name } } or {} end
  if e.constraint.type ~= "foreign key" then return {} end
  for _, name in ipairs(e.constraint.columns) do
    if not e.fresh and not is_new(ctx, e.table, name) then return {} end
  end
  return { e.constraint.columns }
end

return {
  name = "foreign-key-without-index",
  summary = "a foreign key without an index on its own columns",
  level = "warn",
  check = function(_, ctx)
    local found = {}
    for e in ctx:each("create_table", "add_column", "add_constraint") do
      for _, columns in ipairs(keys_of(e, ctx)) do
        if not is_indexed(ctx, e.table, columns) then
          found[#found + 1] = {
            message = ("no index on (%s) of %s: deleting what it refers to reads the whole table")
              :format(table.concat(columns, ", "), said.relation(e.table)),
            hint = "Add an index on the referencing columns.",
          }
        end
      end
    end
    return found
  end,
}
