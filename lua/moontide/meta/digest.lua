---@meta moontide.runtime.digest

local digest = {}

--- The SHA-256 checksum of a string of bytes, as 64 hexadecimal digits.
---@param bytes string
---@return string
function digest.sha256(bytes) end

return digest
