--- Another type writes the table anew, and its indexes, while nobody can use it. Some
--- changes only change the catalog: a longer varchar, text instead of it.

local conversion = require "moontide.lint.conversion"
local said = require "moontide.lint.said"

local slowly = "Add a column of the new type, fill it with op.backfill, and exchange the two."

local function message(e, told)
  if told == "rewrites" then
    return ("the new type of %s writes %s anew while nobody can use it")
      :format(said.name(e.name), said.relation(e.table))
  end
  return ("the new type of %s may write %s anew while nobody can use it: its type before is not known")
    :format(said.name(e.name), said.relation(e.table))
end

local function hint(told, way)
  if told == "rewrites" then return way end
  return 'Say it with existing = { type = "..." }, or lint with the database at hand. ' .. way
end

return {
  name = "type-rewrites-table",
  summary = "another column type writes the table anew while nobody can use it",
  level = "error",
  check = function(o, ctx)
    local found, way = {}, o.kind == "alter_column" and ctx:online(o) or slowly
    for e in ctx:on_existing "alter_type" do
      local told = conversion.of(e)
      if told ~= "cheap" then found[#found + 1] = { message = message(e, told), hint = hint(told, way) } end
    end
    return found
  end,
}
