--- json keeps the text: it has no equality, so DISTINCT, GROUP BY and UNION fail.

local columns = require "moontide.lint.columns"

return {
  name = "json-column",
  summary = "a column of type json instead of jsonb",
  level = "off",
  check = function(_, ctx)
    return columns.found(ctx, function(c)
      if c.type:find("^JSON%f[%W]") then
        return {
          message = ('column "%s" of type json has no equality and no indexes'):format(c.name),
          hint = "Use jsonb.",
        }
      end
    end)
  end,
}
