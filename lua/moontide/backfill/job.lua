--- A backfill from its start to its end: registers it, divides its table, lets lanes
--- work on it, and says how far it is. All it knows of what was done is in the tables.

local books = require "moontide.backfill.books"
local crew = require "moontide.backfill.crew"
local cjson = require "cjson"
local division = require "moontide.backfill.division"
local fingerprint = require "moontide.backfill.fingerprint"
local fault = require "moontide.fault"
local quarantine = require "moontide.backfill.quarantine"
local progress = require "moontide.backfill.progress"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"
local serialize = require "moontide.serialize"
local session = require "moontide.backfill.session"
local survey = require "moontide.backfill.survey"
local sys = require "moontide.runtime.sys"
local triggers = require "moontide.backfill.triggers"
local worker = require "moontide.backfill.worker"

---@class moontide.BackfillRun
---@field o table                 the operation
---@field spec table              what is to be done: the fields of the operation, and what the survey found
---@field id integer
---@field db moontide.Db          a connection beside those of the lanes
---@field connect fun(): moontide.Db
---@field books moontide.BackfillBooks
---@field write table
local Run = {}
Run.__index = Run

local job = {}

---@class moontide.JobPlace
---@field db moontide.Db
---@field connect fun(): moontide.Db
---@field pooled boolean
---@field schema string      of the bookkeeping
---@field revision string
---@field direction string
---@field interrupted boolean  an earlier run has registered the job

local function refuse_edited(o, row)
  fault.raise("revision", ('backfill "%s" was edited after a part of it had been done'):format(o.name), {
    where = o.where, operation = o.kind, detail = ("job %d is %s"):format(row.id, row.state),
    hint = "Restore its expressions; the size, speed and lanes may be changed freely.",
  })
end

local function place_of(o, place)
  return { revision = place.revision, direction = place.direction, step = o.name }
end

--- The statements that register a job, for the transaction that begins it.
---@param o table
---@param place moontide.JobPlace
---@return string[]
function job.begin(o, place)
  local own = books.open(place.schema)
  local list = { "SET LOCAL client_min_messages = warning" }
  table.move(own:create_statements(), 1, 3, 2, list)
  list[#list + 1] = own:register_statement(place_of(o, place), fingerprint(o))
  return list
end

-- A job that was cancelled is begun anew.
local function find(o, place, own)
  local row = place.db:exec(own:latest_statement(place_of(o, place)))[1]
  if row and row.state ~= "abandoned" then return row end
  place.db:exec(own:register_statement(place_of(o, place), fingerprint(o)))
  return place.db:exec(own:latest_statement(place_of(o, place)))[1]
end

local function archive_columns(self, leaf)
  if not self.o.into then return nil end
  local map, names = survey.columns(self.db, leaf.oid)
  local kept = {}
  for _, name in ipairs(names) do
    if not map[name].generated then kept[#kept + 1] = name end
  end
  return kept
end

-- The table is divided once; every later run finds the ranges.
local function start(self)
  local leaves, ranges, estimate = survey.leaves(self.db, self.o), {}, 0
  local wanted = math.max(8, math.min(4 * self.o.lanes, 256))
  for _, leaf in ipairs(leaves) do
    local count = math.max(1, wanted // #leaves)
    for _, range in ipairs(division.ranges(self.db, leaf, count)) do ranges[#ranges + 1] = range end
    estimate = estimate + leaf.rows
  end
  local firing = #leaves > 0 and triggers.words(self.db, self.o, leaves)
  if firing then report.info(("backfill %s: %s"):format(self.o.name, firing)) end
  local found = { leaves = leaves, columns = leaves[1] and archive_columns(self, leaves[1]) }
  local list = { { sql = "BEGIN" } }
  for _, sql in ipairs(self.books:start_statements(self.id, ranges, found, estimate)) do
    list[#list + 1] = { sql = sql }
  end
  list[#list + 1] = { sql = "COMMIT" }
  self.db:pipeline(list)
  return found
end

local function spec_of(o, found)
  return setmetatable({ leaves = found.leaves, columns = found.columns }, { __index = o })
end

--- A run of a job.
---@param o table
---@param place moontide.JobPlace
---@return moontide.BackfillRun? run  nil: it is done already
function job.open(o, place)
  local own = books.open(place.schema)
  local row = find(o, place, own)
  if row.state == "done" then return nil end
  if row.fingerprint ~= fingerprint(o) then
    if row.state ~= "planned" then refuse_edited(o, row) end
    place.db:exec(own:renew_statement(row.id, fingerprint(o)))
  end
  local self = setmetatable({
    o = o, id = row.id, db = place.db, pooled = place.pooled, books = own, write = require "moontide.backfill.write",
    control = cjson.decode(row.control), crew = crew.new(), due = 0, finished = false, counted = 0,
  }, Run)
  self.search_path = place.db:exec("SELECT current_setting('search_path') AS path")[1].path
  self.connect = function() return self:make_connection(place.connect) end
  self.pid_spec = row.state == "planned" and start(self) or serialize.decode(row.spec)
  self.spec = spec_of(o, self.pid_spec)
  self.by_oid = {}
  for _, leaf in ipairs(self.spec.leaves) do self.by_oid[leaf.oid] = leaf end
  if o.write then self.transform = require("moontide.backfill.transform").new(self.spec, place.db) end
  if row.state ~= "planned" then self:set_state "running" end
  return self
end

function Run:set_state(state, fields) self.db:exec(self.books:state_statement(self.id, state, fields)) end

-- A connection of a lane, with the settings of chunks.
function Run:make_connection(connect)
  local db = connect()
  self.settings_sql = session.statement(self.o, db:server_version(), self.search_path, self.pooled)
  if not self.pooled then
    db:exec(self.settings_sql)
    db:exec("SET application_name = " .. quote.literal(("moontide backfill %s"):format(self.o.name)))
  end
  return db
end

--- The limits of the size of chunks.
---@return { chunk_ms: number, max_rows: integer, rows?: integer }
function Run:limits()
  return { chunk_ms = self.control.chunk_ms or self.o.chunk_ms, max_rows = self.control.max_rows or self.o.max_rows }
end

---@param oid integer
---@return moontide.BackfillLeaf
function Run:leaf(oid) return self.by_oid[oid] end

--- Take the live settings of the job.
---@param text string
---@param size moontide.ChunkSize
---@return boolean  whether to go on
function Run:obey(text, size)
  if text ~= self.control_text then self.control, self.control_text = cjson.decode(text), text end
  local limits = self:limits()
  size.chunk_ms, size.max_rows = limits.chunk_ms, limits.max_rows
  size.rows = math.min(size.rows, size.max_rows)
  return not self.control.pause
end

function Run:has_open() return not self.finished end

function Run:stop() self.crew.stopping = true end

function Run:is_stopping() return self.crew.stopping end

--- Wait while somebody has paused the job.
---@param lane moontide.Lane
function Run:wait_for_go(lane)
  while not self.crew.stopping do
    local row = lane:pipeline({ { rows = true, sql = self.books:standing_statement(self.id) } })[1][1]
    if not row or row.state == "abandoned" or row.state == "failed" then
      local more = { final = true, where = self.o.where }
      fault.raise("operation", ('backfill "%s" was cancelled'):format(self.o.name), more)
    end
    local running = row.state == "running" or row.state == "sweeping"
    if running and not cjson.decode(row.control).pause then break end
    self.pause = "by hand"
    lane:sleep(0.3)
  end
  self.pause = nil
end

--- Seconds to wait before the next chunk, outside of any transaction; nil for none.
---@return number?
function Run:must_pause()
  if self.crew.stopping then return 0 end
  local left = self.due - sys.clock()
  return left > 0.001 and math.min(left, 1) or nil
end

--- Note a chunk that is committed.
---@param changed integer
---@param seen integer
function Run:count(changed, seen)
  self.counted = self.counted + changed
  local rate = self.control.rows_per_s or self.o.rows_per_s
  if rate then self.due = math.max(self.due, sys.clock()) + seen / rate end
end

--- A row that cannot be changed: the backfill ends with its key, or goes on without it.
---@param of moontide.BackfillWorker
---@param problem moontide.Fault
---@param at { upto: string[], range: table, leaf: table }
function Run:bad_row(of, problem, at)
  local row = { leaf = at.leaf, key = at.upto, problem = problem }
  if self.o.on_error ~= "quarantine" then error(quarantine.stop(self.o, row), 0) end
  of.aside = { row = row, range = at.range }
end

--- In words, what fires for each row of a table.
---@param leaf moontide.BackfillLeaf
---@return string?
function Run:triggers_of(leaf) return triggers.words(self.db, self.o, { leaf }) end

local function show(self)
  if not self.progress:due() then return end
  local state = self.db:exec(self.books:progress_statement(self.id))[1]
  state.pause = self.pause
  self.progress:show(state)
end

local function work(self, lanes)
  local members = {}
  local _ <close> = setmetatable({}, { __close = function()
    for _, lane in ipairs(members) do lane.db:close() end
  end })
  for index = 1, lanes do
    members[index] = crew.lane(self.connect())
    local own = worker.new(members[index], self)
    self.crew:add(members[index], function() own:run() end)
  end
  self.crew:run(function() show(self) end)
end

local function describe(problem)
  return problem.message .. (problem.detail and "\n" .. problem.detail or "")
end

local function fail(self, problem)
  report.progress_end()
  problem = fault.of(problem)
  local state = problem.kind == "interrupted" and "paused" or "failed"
  pcall(self.set_state, self, state, { reason = problem.message, error = describe(problem) })
  error(problem, 0)
end

local function stopped(self)
  self:set_state("paused", { reason = "interrupted" })
  fault.raise("interrupted", "interrupted", {
    hint = ('Backfill "%s" has committed what it did; the same command continues there.'):format(self.o.name),
  })
end

--- Work on the job until it is done.
function Run:run()
  self.progress = progress.new(self.o.name)
  report.verbose(("backfill %s: job %d"):format(self.o.name, self.id))
  local ok, problem = pcall(work, self, self.o.lanes)
  if not ok then fail(self, problem) end
  if not self.finished then stopped(self) end
  local state = self.db:exec(self.books:progress_statement(self.id))[1]
  self.progress:finish(state)
  if state.rows_bad > 0 then report.warn(quarantine.words(self.o, state.rows_bad)) end
  self:set_state "done"
end

--- Do a backfill, or the rest of it.
---@param o table
---@param place moontide.JobPlace
function job.run(o, place)
  local run = job.open(o, place)
  if run then run:run() end
end

return job
