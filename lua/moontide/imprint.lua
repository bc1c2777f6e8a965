--- What a segment did, in few bytes: the journal keeps it, and a replay is compared
--- with it. One checksum is of the statements, a second one of the rows that they load.

local digest = require "moontide.runtime.digest"
local serialize = require "moontide.serialize"

---@class moontide.Imprint
---@field statements string
---@field rows? string  when rows were loaded by COPY
local Imprint = {}
Imprint.__index = Imprint

local imprint = {}

---@return moontide.Imprint
function imprint.new() return setmetatable({ statements = "" }, Imprint) end

--- Add a statement.
---@param entry moontide.Entry
function Imprint:note(entry)
  self.statements = digest.sha256(self.statements .. "\0" .. entry.sql .. "\0" .. serialize.encode(entry.params or {}))
end

--- Add rows, as they were fed to a checksum.
---@param sum moontide.digest.Sum
function Imprint:load(sum) self.rows = digest.sha256((self.rows or "") .. "\0" .. sum:hex()) end

--- As the journal has it.
---@return string
function Imprint:text() return self.statements .. (self.rows and "/" .. self.rows or "") end

--- In what this differs from one in the journal; nil when they are equal. A segment
--- that was journaled without a checksum of its rows is compared by its statements.
---@param text string
---@return "statements"|"rows"|nil
function Imprint:difference(text)
  local statements, rows = text:match("^([^/]*)/?(.*)$")
  if statements ~= self.statements then return "statements" end
  if rows ~= "" and rows ~= self.rows then return "rows" end
end

return imprint
