--- What a revision has set for the session. It holds to the end of the revision, in
--- all its transactions and also where another run continues it, and no longer. The
--- rows that record a run are written in the name of the role that connected.

local setting = require "moontide.sql.setting"

---@class moontide.Carried
---@field items { entry: moontide.Entry, names: string[], role: boolean, sent: boolean }[]
---@field opaque boolean   statements were run that may have set anything
---@field pooled boolean   the next transaction may be on another session, and this session somebody else's
local Carried = {}
Carried.__index = Carried

local carried = {}

---@param pooled boolean
---@return moontide.Carried
function carried.new(pooled)
  return setmetatable({ items = {}, opaque = false, pooled = pooled or false }, Carried)
end

--- Learn of a statement of the revision.
---@param entry moontide.Entry
---@param sent boolean  in this run; else it was in an earlier one
function Carried:note(entry, sent)
  local names = setting.names(entry.sql)
  if names then
    local item = { entry = { sql = entry.sql, params = entry.params, o = entry.o }, names = names, sent = sent }
    item.role = setting.is_role(names)
    self.items[#self.items + 1] = item
  end
  self.opaque = self.opaque or setting.is_opaque(entry.sql)
end

--- The statements that a transaction begins with.
---@return moontide.Entry[]
function Carried:resume()
  local entries = {}
  for _, item in ipairs(self.items) do
    if item.role or self.pooled or not item.sent then entries[#entries + 1] = item.entry end
    item.sent = true
  end
  return entries
end

--- The statements that a session needs for what is not in a transaction, and the names of what they set.
---@return moontide.Entry[], string[]
function Carried:session()
  local entries, names = {}, {}
  for _, item in ipairs(self.items) do
    if item.role or self.pooled then
      entries[#entries + 1] = item.entry
      table.move(item.names, 1, #item.names, #names + 1, names)
    end
  end
  return entries, names
end

local function is_role(item) return item.role end
local function is_any() return true end

local function resets(self, condition)
  local seen, list = {}, {}
  for _, item in ipairs(self.items) do
    for _, name in ipairs(condition(item) and item.names or {}) do
      if not seen[name] then list[#list + 1] = "RESET " .. name end
      seen[name] = true
    end
  end
  table.sort(list)
  return list
end

-- The one who connected; the first takes back the second as well, but not to what ALTER ROLE has set.
local function with_roles(list)
  return { "RESET SESSION AUTHORIZATION", "RESET ROLE", table.unpack(list) }
end

--- The statements that go before what a segment writes into the journal.
---@return string[]
function Carried:pause()
  local list = resets(self, self.pooled and is_any or is_role)
  return self.opaque and with_roles(list) or list
end

--- The statements that take everything back.
---@param printed boolean  in a script only what is known to be set is taken back
---@return string[]
function Carried:finish(printed)
  if self.opaque and not printed then return with_roles { "RESET ALL" } end
  return resets(self, is_any)
end

return carried
