--- A module that is loaded when something of it is first asked for. Most calls of
--- the program have little to do; what they do not reach is not loaded either.

--- Stand in for a module. For modules that are tables of functions.
---@param name string
---@return table
return function(name)
  return setmetatable({}, {
    __index = function(self, key)
      local value = require(name)[key]
      rawset(self, key, value)
      return value
    end,
  })
end
