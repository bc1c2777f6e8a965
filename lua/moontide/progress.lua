--- How far the server is with building an index, seen by a second connection, which
--- is opened when the build has taken a second. That it cannot be seen stops nothing.

local db = require "moontide.db"
local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"

---@class moontide.Progress
---@field url string
---@field index { schema: string?, name: string }
---@field db? moontide.Db
---@field blind boolean   the connection cannot be had
local Progress = {}
Progress.__index = Progress

local progress = {}

--- Watch the build of an index.
---@param url string
---@param index { schema: string?, name: string }
---@return moontide.Progress
function progress.new(url, index)
  return setmetatable({ url = url, index = index, blind = false }, Progress)
end

-- Waiting for other transactions, reading the table, and putting the index together are counted in different things.
local query = [[
SELECT p.phase, p.lockers_total, p.lockers_done, p.current_locker_pid AS locker,
       CASE WHEN p.blocks_total > 0 THEN 100 * p.blocks_done / p.blocks_total
            WHEN p.tuples_total > 0 THEN 100 * p.tuples_done / p.tuples_total END AS percent
FROM pg_stat_progress_create_index p JOIN pg_class c ON c.oid = p.index_relid
WHERE p.datname = current_database() AND c.relname = %s LIMIT 1]]

--- What a row of the server's view says, in words.
---@param name string
---@param row table
---@return string
function progress.text(name, row)
  local text = ("index %s: %s"):format(name, row.phase)
  if row.phase:find("^waiting") and (row.lockers_total or 0) > 0 then
    return ("%s (%d of %d, process %d)"):format(text, row.lockers_done + 1, row.lockers_total, row.locker or 0)
  end
  return row.percent and ("%s, %d%%"):format(text, row.percent) or text
end

local function look(self)
  self.db = self.db or db.connect(self.url, { timeout = 5, application_name = "moontide progress" })
  local row = self.db:exec(query:format(quote.literal(self.index.name)))[1]
  if row then report.progress(progress.text(self.index.name, row)) end
end

--- Show how far it is now. Raises only for Ctrl-C.
function Progress:look()
  if self.blind then return end
  local ok, problem = pcall(look, self)
  if ok then return end
  self.blind = true
  if fault.of(problem).kind == "interrupted" then error(problem, 0) end
end

function Progress:close()
  report.progress_end()
  if self.db then self.db:close() end
  self.db = nil
end
Progress.__close = Progress.close

return progress
