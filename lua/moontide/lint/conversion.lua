--- What a change of a column's type costs, by the two types.

local types = require "moontide.sql.type"

local conversion = {}

local function parsed(text)
  local ok, found = pcall(types.parse, text)
  return ok and found or nil
end

-- A missing length is any length.
local function is_wider(old, new)
  if new == nil then return true end
  return old ~= nil and new >= old
end

local function length(from, to) return is_wider(from.arguments[1], to.arguments[1]) end

local function numeric(from, to)
  if not to.arguments[1] then return true end
  return length(from, to) and (from.arguments[2] or 0) == (to.arguments[2] or 0)
end

local function always() return true end

-- PostgreSQL changes the catalog alone for these, from type to type.
local cheap = {
  varchar = { varchar = length, text = always }, text = { text = always, varchar = function(_, to)
    return to.arguments[1] == nil
  end },
  numeric = { numeric = numeric }, varbit = { varbit = length }, cidr = { inet = always },
  timestamp = { timestamp = length }, timestamptz = { timestamptz = length },
  time = { time = length }, timetz = { timetz = length },
  interval = { interval = function(from, to)
    return (not to.fields or to.fields == from.fields) and length(from, to)
  end },
}

local function is_cheap(from, to)
  if from.text == to.text then return true end
  if from.dimensions > 0 or to.dimensions > 0 then return false end
  local test = cheap[from.name] and cheap[from.name][to.name]
  return test ~= nil and test(from, to)
end

local function is_same(one, other)
  local a, b = parsed(one), parsed(other)
  return a ~= nil and b ~= nil and a.text == b.text
end

-- The column itself, or it cast to the new type, is what the server does without USING, too.
local function is_plain(e)
  if not e.using then return true end
  local value, cast = (e.using .. " "):match("^(%S+) (.*)$")
  if value:gsub('"', ""):lower() ~= e.name:lower() then return false end
  return cast == "" or is_same(cast:match("^: : (.*)$") or "", e.type)
end

--- What an effect alter_type costs: "cheap", "rewrites", or "unknown" where the type before is not known.
---@param e moontide.Effect
---@return "cheap"|"rewrites"|"unknown"
function conversion.of(e)
  if not is_plain(e) then return "rewrites" end
  if not e.before then return "unknown" end
  local from, to = parsed(e.before), parsed(e.type)
  if not from or not to then return "unknown" end
  return is_cheap(from, to) and "cheap" or "rewrites"
end

return conversion
