--- Changing what a function or procedure is allowed to do and how it is planned; its
--- arguments, result and body are changed by replacing it.

local changing = require "moontide.object.changing"
local check = require "moontide.check"
local routine = require "moontide.object.routine"
local value = require "moontide.value"

local function flag_words(yes, no)
  return function(given) return given and yes or no end
end

local function upper(format)
  return function(given) return format:format(given:upper()) end
end

local function number(format)
  return function(given) return format:format(value.literal(given)) end
end

-- Properties in the order of the manual, and their words.
local words = {
  { "strict", flag_words("STRICT", "CALLED ON NULL INPUT") }, { "volatility", upper "%s" },
  { "leakproof", flag_words("LEAKPROOF", "NOT LEAKPROOF") },
  { "security_definer", flag_words("SECURITY DEFINER", "SECURITY INVOKER") }, { "parallel", upper "PARALLEL %s" },
  { "cost", number "COST %s" }, { "rows", number "ROWS %s" },
}

local function actions(o)
  local list = {}
  for _, word in ipairs(words) do
    if o[word[1]] ~= nil then list[#list + 1] = word[2](o[word[1]]) end
  end
  local settings = {}
  for name, setting in pairs(o.set or {}) do settings[#settings + 1] = routine.setting_sql(name, setting) end
  table.sort(settings)
  return table.concat(table.move(settings, 1, #settings, #list + 1, list), " ")
end

-- Settings that were, of those that change; `null` for those that were not.
local function settings_before(now, was)
  if was == nil then return nil end
  local before = {}
  for name in pairs(now) do before[name] = was[name] == nil and value.null or was[name] end
  return before
end

local compiled = { c = true, internal = true }

local function look(kinds)
  return function(o, query)
    local found = routine.look(o, query, kinds)
    if not found then return nil end
    found.set, found.cost = found.set or {}, found.cost or compiled[found.language] and 1 or 100
    return found
  end
end

local function register(kind)
  changing.register {
    thing = kind.thing,
    summary = kind.summary,
    identity = { { "name", check.name, ("the %s name"):format(kind.thing) } },
    place = routine.place,
    shape = check.join({ security_definer = check.boolean, set = routine.read_changes }, kind.shape),
    write = routine.write,
    absent = { volatility = "volatile", strict = false, leakproof = false, security_definer = false,
      parallel = "unsafe", rows = 1000 },
    before = { set = settings_before },
    sql = function(o) return { ("ALTER %s %s %s"):format(kind.thing:upper(), routine.name(o), actions(o)) } end,
    look = look(kind.kinds),
  }
end

local known = routine.function_shape

register {
  thing = "function",
  summary = "Change properties of a function, other than its arguments, result and body",
  kinds = "'f', 'w'",
  shape = { volatility = known.volatility, strict = check.boolean, leakproof = check.boolean,
    parallel = known.parallel, cost = known.cost, rows = known.rows },
}

register {
  thing = "procedure",
  summary = "Change properties of a procedure, other than its arguments and body",
  kinds = "'p'",
  shape = {},
}
