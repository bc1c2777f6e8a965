--- Which rows a partition takes: { from =, to = }, { values = {...} }, { modulus =,
--- remainder = }, { default = true }, or the SQL text as the catalog prints it in `bound`.

local check = require "moontide.check"
local value = require "moontide.value"

local bound = {}

-- One value for a key of one column, or a list.
local function read_values(given, what)
  if given == nil then check.expected(what, "a value or a list of values", nil) end
  if value.kind(given) ~= "table" then given = { given } end
  local list = check.list_of(check.value)(given, what)
  if #list == 0 then check.refuse(what .. " must not be empty") end
  return list
end

local function read_text(given, what)
  local text = check.expression(given, what)
  local upper = text:upper()
  if not upper:find("^%s*FOR%s+VALUES%s") and not upper:find("^%s*DEFAULT%s*$") then
    check.refuse(what .. " must begin with FOR VALUES, or be DEFAULT")
  end
  return text
end

--- The options that say it.
bound.shape = {
  from = read_values, to = read_values, values = read_values, modulus = check.integer, remainder = check.integer,
  default = check.flag, bound = read_text,
}

local forms = {
  { "from", "to" }, { "values" }, { "modulus", "remainder" }, { "default" }, { "bound" },
}

local function given_forms(o)
  local list = {}
  for _, form in ipairs(forms) do
    for _, key in ipairs(form) do
      if o[key] ~= nil then list[#list + 1] = form break end
    end
  end
  return list
end

local function check_pair(o, form)
  for _, key in ipairs(form) do
    if o[key] == nil then check.expected(('option "%s"'):format(key), "it together with the other one", nil) end
  end
end

local function check_numbers(o)
  if o.from and #o.from ~= #o.to then
    check.refuse(("from has %d values and to has %d"):format(#o.from, #o.to))
  end
  if o.modulus and (o.modulus < 1 or o.remainder < 0 or o.remainder >= o.modulus) then
    check.refuse("the remainder must be less than the modulus, and neither of them negative")
  end
end

--- Refuse options that say nothing, or several things.
---@param o table
---@param optional? boolean  they may be left out
function bound.check(o, optional)
  local list = given_forms(o)
  if #list == 0 and optional then return end
  if #list ~= 1 then
    check.refuse(#list == 0 and "which rows the partition takes is missing" or "the partition has several bounds",
      "Give from and to, or values, or modulus and remainder, or default = true.")
  end
  check_pair(o, list[1])
  check_numbers(o)
end

local function literals(list)
  local parts = {}
  for i, given in ipairs(list) do parts[i] = value.literal(given) end
  return "(" .. table.concat(parts, ", ") .. ")"
end

--- FOR VALUES ..., or DEFAULT.
---@param o table
---@return string
function bound.sql(o)
  if o.bound then return o.bound end
  if o.default then return "DEFAULT" end
  if o.from then return ("FOR VALUES FROM %s TO %s"):format(literals(o.from), literals(o.to)) end
  if o.values then return "FOR VALUES IN " .. literals(o.values) end
  return ("FOR VALUES WITH (MODULUS %d, REMAINDER %d)"):format(o.modulus, o.remainder)
end

return bound
