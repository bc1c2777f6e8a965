--- A label that goes away, or another order of labels, makes a new type, and every table with a
--- column of it is written anew while nobody can use it. Labels that are only added cost nothing.

local enum = require "moontide.object.enum"
local said = require "moontide.lint.said"

local way = "Keep the label and forbid it with a check that is added online, or create a second enum and change the "
  .. "columns to it with alter_column and online = true."

local function message(o, verb)
  return ("the new labels of %s %s every table anew that has a column of it, while nobody can use them")
    :format(said.relation(o), verb)
end

return {
  name = "enum-rewrites-tables",
  summary = "an enum without a label, or in another order, writes its tables anew while nobody can use them",
  level = "error",
  check = function(o)
    if o.kind == "drop_enum_value" then return { message = message(o, "write"), hint = way } end
    if o.kind ~= "alter_enum" then return nil end
    if not o.existing then
      return { message = message(o, "may write"), hint = "Say the labels before with existing = { ... }. " .. way }
    end
    if enum.only_adds(o.existing, o.labels) then return nil end
    return { message = message(o, "write"), hint = way }
  end,
}
