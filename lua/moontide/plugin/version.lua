--- Versions of plugins, and what one plugin asks of another: "audit >= 1.2, < 2".
--- Pure.

local version = {}

---@class moontide.Requirement
---@field name string
---@field text string                                     ">= 1.2, < 2"; empty: any version
---@field conditions { sign: string, version: string }[]

-- "1.2.0-beta" as { 1, 2, 0 } and "beta".
local function parts(text)
  local numbers, tag = text:match("^(%d[%d.]*)(.*)$")
  tag = tag and tag:match("^%-([%w.]+)$") or tag
  if not numbers or numbers:find("..", 1, true) or numbers:find("%.$") or tag ~= "" and not tag:find("^[%w.]+$") then
    return nil
  end
  local list = {}
  for number in numbers:gmatch("%d+") do list[#list + 1] = math.tointeger(tonumber(number)) end
  return list, tag
end

--- Whether a text is a version: numbers with dots, perhaps with a word behind a minus.
---@param text any
---@return boolean
function version.is(text)
  return type(text) == "string" and parts(text) ~= nil
end

-- A version with a word ("2.0-beta") comes before the one without.
local function compare_tags(a, b)
  if a == b then return 0 end
  if a == "" or b == "" then return a == "" and 1 or -1 end
  return a < b and -1 or 1
end

--- Which of two versions is the later one; missing numbers count as 0.
---@param a string
---@param b string
---@return integer  negative, 0 or positive
function version.compare(a, b)
  local first, first_tag = parts(a)
  local second, second_tag = parts(b)
  for index = 1, math.max(#first, #second) do
    local difference = (first[index] or 0) - (second[index] or 0)
    if difference ~= 0 then return difference end
  end
  return compare_tags(first_tag, second_tag)
end

local signs = {
  [">="] = function(order) return order >= 0 end,
  ["<="] = function(order) return order <= 0 end,
  [">"] = function(order) return order > 0 end,
  ["<"] = function(order) return order < 0 end,
  ["="] = function(order) return order == 0 end,
}

local function conditions_of(text)
  local list = {}
  for piece in text:gmatch("[^,]+") do
    local sign, wanted = piece:match("^%s*([<>=]*)%s*(%S+)%s*$")
    sign = (sign == "" or sign == "==") and "=" or sign
    if not signs[sign] or not version.is(wanted) then return nil end
    list[#list + 1] = { sign = sign, version = wanted }
  end
  return list
end

--- A requirement in words: a name and conditions.
---@param name string
---@param text string  ">= 1.2, < 2", or nothing
---@return moontide.Requirement?  nil when the conditions cannot be read
function version.requirement(name, text)
  local conditions = conditions_of(text)
  return conditions and { name = name, text = text:match("^%s*(.-)%s*$"), conditions = conditions }
end

--- Whether a version is what is asked. A plugin without a version meets only a requirement without conditions.
---@param requirement moontide.Requirement
---@param given string?
---@return boolean
function version.meets(requirement, given)
  for _, condition in ipairs(requirement.conditions) do
    if not given or not signs[condition.sign](version.compare(given, condition.version)) then return false end
  end
  return true
end

return version
