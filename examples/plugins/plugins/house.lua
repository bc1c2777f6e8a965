--- A lint rule of the house: every new table says what it is for.

---@param moontide moontide.PluginApi
return function(moontide)
  moontide.name { name = "house", version = "1.0" }

  moontide.lint_rule {
    name = "table-without-comment",
    summary = "a new table has no comment",
    check = function(o)
      if o.kind ~= "create_table" or o.comment or o.temporary then return nil end
      return {
        message = ('table "%s" has no comment'):format(o.name),
        hint = 'Add comment = "..." to the call.',
      }
    end,
  }
end
