--- The keys of a table in their order, for what must come out the same each time.

---@param map table
---@return any[]
return function(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end
