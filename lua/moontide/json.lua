--- JSON for --json output: cjson, with two wants of ours. Arrays say that they
--- are arrays (an empty Lua table would be `{}`), and keys are sorted so that
--- the same document always has the same text.

local cjson = require "cjson"

local json = {}

local Array = {}

--- Mark a list, so that an empty one is written as `[]`.
---@generic T: table
---@param list T
---@return T
function json.array(list) return setmetatable(list, Array) end

json.null = cjson.null

-- cjson escapes slashes, which JSON does not ask for and paths are full of.
local function scalar(value) return (cjson.encode(value):gsub("\\/", "/")) end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

local encode

local function encode_list(list)
  local parts = {}
  for index, item in ipairs(list) do parts[index] = encode(item) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_map(map)
  local parts = {}
  for index, key in ipairs(sorted_keys(map)) do
    parts[index] = scalar(tostring(key)) .. ":" .. encode(map[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value)
  if math.type(value) == "integer" then return ("%d"):format(value) end
  if type(value) ~= "table" then return scalar(value) end
  if getmetatable(value) == Array or #value > 0 then return encode_list(value) end
  return encode_map(value)
end

--- The JSON text of a value. Tables marked by `json.array`, and sequences, are arrays.
---@param value any
---@return string
function json.encode(value) return encode(value) end

---@param text string
---@return any
function json.decode(text) return cjson.decode(text) end

return json
