--- Numbers in sentences. Pure.

local count = {}

--- "1 segment", "2 segments".
---@param number integer
---@param noun string
---@return string
function count.of(number, noun) return ("%d %s%s"):format(number, noun, number == 1 and "" or "s") end

--- "is" or "are".
---@param number integer
---@return string
function count.be(number) return number == 1 and "is" or "are" end

return count
