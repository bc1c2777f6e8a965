---@meta moontide.runtime.resource

--- The text of a file below lua/moontide/ as it was built into the program (or is in the tree that MOONTIDE_LUA_PATH
--- names): templates, and the sources themselves.
---@param path string  "template/env.lua"
---@return string?
local function resource(path) end

return resource
