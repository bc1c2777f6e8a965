--- Values as the prompt prints them: rows as a table, other tables as Lua would
--- write them. Pure.

local show = {}

local function is_name(key) return type(key) == "string" and key:find("^[%a_][%w_]*$") ~= nil end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if math.type(a) and math.type(b) then return a < b end
    if math.type(a) or math.type(b) then return math.type(a) ~= nil end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local inspect

local function entry(value, key, level)
  local text = inspect(value[key], level + 1)
  if math.type(key) == "integer" and key >= 1 and key <= #value then return text end
  return (is_name(key) and key or "[" .. inspect(key, level + 1) .. "]") .. " = " .. text
end

function inspect(value, level)
  if type(value) == "string" then return (("%q"):format(value):gsub("\\\n", "\\n")) end
  local meta = getmetatable(value)
  if type(value) ~= "table" or meta and meta.__tostring then return tostring(value) end
  if level > 4 then return "{...}" end
  local parts = {}
  for i, key in ipairs(sorted_keys(value)) do parts[i] = entry(value, key, level) end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

local function cell(value)
  if value == nil then return "" end
  return (tostring(value):gsub("[%c]", " "))
end

local function width(text) return utf8.len(text) or #text end

local function widths_of(result)
  local widths = {}
  for i, name in ipairs(result.columns) do
    widths[i] = width(name)
    for _, row in ipairs(result) do widths[i] = math.max(widths[i], width(cell(row[name]))) end
  end
  return widths
end

local function line(result, widths, text_of)
  local parts = {}
  for i, name in ipairs(result.columns) do
    local text = text_of(name)
    parts[i] = text .. (" "):rep(widths[i] - width(text))
  end
  return (table.concat(parts, "  "):gsub("%s+$", ""))
end

local function rows(result)
  local widths = widths_of(result)
  local lines = { line(result, widths, function(name) return name end) }
  for _, row in ipairs(result) do
    lines[#lines + 1] = line(result, widths, function(name) return cell(row[name]) end)
  end
  lines[#lines + 1] = ("(%d row%s)"):format(#result, #result == 1 and "" or "s")
  return table.concat(lines, "\n")
end

--- A value as text.
---@param value any
---@return string
function show.value(value)
  if type(value) == "table" and type(value.columns) == "table" and #value.columns > 0 then return rows(value) end
  if type(value) == "table" and value.command then return value.command end
  return inspect(value, 1)
end

return show
