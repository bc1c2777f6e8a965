--- The kinds of objects that are dropped last, when nobody needs them any more.

local late = {}

late.kinds = {
  schema = true, extension = true, enum = true, domain = true, type = true, ["range type"] = true, sequence = true,
  ["function"] = true, procedure = true, aggregate = true,
}

local sharing = { "enum", "domain", "type", "range type", "table", "view", "materialized view", "sequence" }

--- Whether another kind of object takes over the name at once.
---@param created table<string, any>  by key
---@param key string
---@return boolean
function late.gives_name(created, key)
  local name = key:match("^%l+ ?%l* (.*)$")
  for _, kind in ipairs(sharing) do
    if created[kind .. " " .. name] then return true end
  end
  return false
end

return late
