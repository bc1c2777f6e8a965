--- A key of type integer ends at 2147483647, and changing it then writes the table anew.

local columns = require "moontide.lint.columns"

local small = { INT = true, INTEGER = true, INT4 = true, SMALLINT = true, INT2 = true, SERIAL = true, SERIAL4 = true,
  SMALLSERIAL = true, SERIAL2 = true }

local function is_key(c, e)
  if c.primary_key or c.identity then return true end
  for _, constraint in ipairs(e.constraints or {}) do
    if constraint.type == "primary key" and #constraint.columns == 1 and constraint.columns[1] == c.name then
      return true
    end
  end
  return false
end

return {
  name = "small-key",
  summary = "a key of type integer or smallint",
  level = "off",
  check = function(_, ctx)
    return columns.found(ctx, function(c, e)
      if small[c.type] and is_key(c, e) then
        return { message = ('key "%s" of type %s ends at %s'):format(c.name, c.type:lower(),
          (c.type:find("SMALL") or c.type:find("2")) and "32767" or "2147483647"), hint = "Use bigint." }
      end
    end)
  end,
}
