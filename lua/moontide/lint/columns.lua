--- Columns that a revision makes, for rules about what they are.

local columns = {}

local function each(e, look)
  if e.temporary then return end
  if e.kind == "create_table" then
    for _, c in ipairs(e.columns) do look(c, e) end
  elseif e.kind == "add_column" then
    look(e.column, e)
  elseif e.kind == "alter_type" then
    look({ name = e.name, type = e.type }, e)
  end
end

--- What a test finds in the new columns of an operation.
---@param ctx moontide.LintContext
---@param test fun(c: moontide.LintColumn, e: moontide.Effect): moontide.LintFinding?
---@return moontide.LintFinding[]
function columns.found(ctx, test)
  local found = {}
  for _, e in ipairs(ctx.effects) do
    each(e, function(c, of) found[#found + 1] = test(c, of) end)
  end
  return found
end

return columns
