--- A timestamp without time zone does not say when something was.

local columns = require "moontide.lint.columns"

return {
  name = "timestamp-without-zone",
  summary = "a column of type timestamp without time zone",
  level = "off",
  check = function(_, ctx)
    return columns.found(ctx, function(c)
      if c.type:find("^TIMESTAMP%f[%W]") and not c.type:find("WITH TIME ZONE", 1, true) then
        return {
          message = ('column "%s" does not say of which time zone its timestamps are'):format(c.name),
          hint = "Use timestamptz.",
        }
      end
    end)
  end,
}
