--- MD5, for names that are shortened as SQLAlchemy shortens them. Pure.

local md5 = {}

local shifts = { { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 } }

local sines = {}
for i = 0, 63 do sines[i] = math.floor(math.abs(math.sin(i + 1)) * 2 ^ 32) end

-- The mixing function and the word of the block, by round.
local rounds = {
  function(b, c, d, i) return (b & c) | (~b & d), i end,
  function(b, c, d, i) return (d & b) | (~d & c), (5 * i + 1) % 16 end,
  function(b, c, d, i) return b ~ c ~ d, (3 * i + 5) % 16 end,
  function(b, c, d, i) return c ~ (b | (~d & 0xFFFFFFFF)), (7 * i) % 16 end,
}

local function rotated(value, count)
  value = value & 0xFFFFFFFF
  return ((value << count) | (value >> (32 - count))) & 0xFFFFFFFF
end

local function add_block(state, words)
  local a, b, c, d = table.unpack(state)
  for i = 0, 63 do
    local round = i // 16 + 1
    local mixed, at = rounds[round](b, c, d, i)
    local sum = a + (mixed & 0xFFFFFFFF) + sines[i] + words[at + 1]
    a, d, c, b = d, c, b, (b + rotated(sum, shifts[round][i % 4 + 1])) & 0xFFFFFFFF
  end
  for index, value in ipairs { a, b, c, d } do state[index] = (state[index] + value) & 0xFFFFFFFF end
end

--- The MD5 of a text.
---@param text string
---@return string  32 hex characters
function md5.hex(text)
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. ("<I8"):pack(#text * 8)
  local state = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476 }
  for position = 1, #padded, 64 do
    add_block(state, { ("<" .. ("I4"):rep(16)):unpack(padded, position) })
  end
  return (("<I4I4I4I4"):pack(table.unpack(state)):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

return md5
