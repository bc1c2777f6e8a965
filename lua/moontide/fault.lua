--- Errors as values. A fault is a table that says what failed, where, and what
--- to do next; `main` is the one place that prints it and picks the exit code.

---@class moontide.Fault
---@field kind string        what sort of failure: see `fault.exit_code`
---@field message string     a short lower-case fact without a full stop
---@field detail? string     the rest of the facts
---@field hint? string       what to do next, a full sentence
---@field where? string      "path:line" in a file of the user's
---@field sqlstate? string
---@field statement? string  the SQL text that failed
---@field position? integer  where in `statement`, in characters from 1
---@field revision? string
---@field operation? string
---@field silent? boolean    nobody is there to be told

local fault = {}

local Fault = {}

function Fault:__tostring()
  return (self.where and self.where .. ": " or "") .. self.message
end

--- Make a fault without raising it.
---@param kind string
---@param message string
---@param fields? table  further fields of moontide.Fault
---@return moontide.Fault
function fault.new(kind, message, fields)
  local new = setmetatable({}, Fault)
  for key, value in pairs(fields or {}) do new[key] = value end
  new.kind, new.message = kind, message
  return new
end

--- Raise a fault.
---@param kind string
---@param message string
---@param fields? table
function fault.raise(kind, message, fields)
  error(fault.new(kind, message, fields), 0)
end

--- Whether a caught value is a fault (the C modules raise plain tables of the same shape).
---@param value any
---@return boolean
function fault.is(value)
  return type(value) == "table" and type(value.kind) == "string" and type(value.message) == "string"
end

--- A caught value in words; error() takes anything.
---@param value any
---@return string
function fault.words(value)
  if value == nil then return "error without a message" end
  local meta = getmetatable(value)
  if type(value) == "table" and not (type(meta) == "table" and meta.__tostring) then return "error with a table" end
  return tostring(value)
end

--- A caught value as a fault: a fault stays itself, anything else becomes an "internal" one.
---@param value any
---@return moontide.Fault
function fault.of(value)
  if not fault.is(value) then return fault.new("internal", tostring(value)) end
  return getmetatable(value) and value or setmetatable(value, Fault)
end

local exit_codes = { usage = 2, config = 2, interrupted = 130 }

-- What a shell says of a program that SIGPIPE has ended.
local reader_gone = 141

--- The exit code of the process for a fault: 2 wrong usage or configuration, 130 interrupted, 141 when who reads its
--- output has gone away, else 1.
---@param value moontide.Fault
---@return integer
function fault.exit_code(value)
  return value.silent and reader_gone or exit_codes[value.kind] or 1
end

return fault
