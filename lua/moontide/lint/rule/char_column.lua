--- char(n) pads with spaces, which comparisons forget and lengths count.

local columns = require "moontide.lint.columns"

return {
  name = "char-column",
  summary = "a column of type char(n)",
  level = "off",
  check = function(_, ctx)
    return columns.found(ctx, function(c)
      if c.type:find("^CHAR%f[%W]") or c.type:find("^CHARACTER%f[%W]") and not c.type:find("VARYING", 1, true) then
        return {
          message = ('column "%s" of type char(n) is padded with spaces'):format(c.name),
          hint = "Use text, with a check of the length where it matters.",
        }
      end
    end)
  end,
}
