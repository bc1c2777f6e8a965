--- A unique constraint or a primary key builds its index while nobody can use the
--- table, unless it takes over one that is there.

local said = require "moontide.lint.said"

local in_column = "Add the column without it, then op.create_unique_constraint with online = true."
local in_sql = "Build a unique index CONCURRENTLY, then add the constraint USING INDEX; "
  .. "op.create_unique_constraint and op.create_primary_key with online = true do both."

local function word(e)
  if e.kind == "add_column" then
    return e.column.primary_key and "primary key" or e.column.unique and "unique constraint" or nil
  end
  local c = e.constraint
  if c.using_index then return nil end
  return c.type == "unique" and "unique constraint" or c.type == "primary key" and c.type or nil
end

local function online(o, ctx)
  return (o.kind == "create_unique_constraint" or o.kind == "create_primary_key") and ctx:online(o)
end

return {
  name = "unique-builds-index",
  summary = "a unique constraint or primary key builds its index while nobody can use the table",
  level = "error",
  check = function(o, ctx)
    local found = {}
    for e in ctx:on_existing("add_constraint", "add_column") do
      local what = word(e)
      if what then
        found[#found + 1] = {
          message = ("the %s builds an index while nobody can use %s"):format(what, said.relation(e.table)),
          hint = online(o, ctx) or e.kind == "add_column" and in_column or in_sql,
        }
      end
    end
    return found
  end,
}
