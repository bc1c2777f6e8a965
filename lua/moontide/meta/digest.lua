---@meta moontide.runtime.digest

local digest = {}

--- The SHA-256 checksum of a string of bytes, as 64 hexadecimal digits.
---@param bytes string
---@return string
function digest.sha256(bytes) end

--- A SHA-256 checksum that is fed piece by piece, in constant memory.
---@return moontide.digest.Sum
function digest.sum() end

---@class moontide.digest.Sum
local Sum = {} -- luacheck: ignore 241

--- Add bytes.
---@param bytes string
function Sum:write(bytes) end

--- Add the values of rows, in the order of the columns.
---@param list table[]
---@param columns string[]
function Sum:rows(list, columns) end

--- The checksum of what was added so far, as 64 hexadecimal digits.
---@return string
function Sum:hex() end

return digest
