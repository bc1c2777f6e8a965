--- A backfill from its start to its end: registers it, divides its table, lets lanes
--- work on it, and says how far it is. All it knows of what was done is in the tables.

local advice = require "moontide.backfill.advice"
local books = require "moontide.backfill.books"
local cjson = require "cjson"
local crew = require "moontide.backfill.crew"
local division = require "moontide.backfill.division"
local failure = require "moontide.backfill.failure"
local fingerprint = require "moontide.backfill.fingerprint"
local fault = require "moontide.fault"
local growth = require "moontide.backfill.growth"
local identity = require "moontide.backfill.identity"
local knob = require "moontide.backfill.knob"
local notice = require "moontide.backfill.notice"
local order = require "moontide.backfill.order"
local orders = require "moontide.backfill.orders"
local pace = require "moontide.backfill.pace"
local passes = require "moontide.backfill.passes"
local preflight = require "moontide.backfill.preflight"
local progress = require "moontide.backfill.progress"
local quarantine = require "moontide.backfill.quarantine"
local report = require "moontide.report"
local serialize = require "moontide.serialize"
local session = require "moontide.backfill.session"
local staff = require "moontide.backfill.staff"
local survey = require "moontide.backfill.survey"
local sys = require "moontide.runtime.sys"
local tree = require "moontide.backfill.tree"
local triggers = require "moontide.backfill.triggers"
local writers = require "moontide.backfill.writers"

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
---@field row? table           the job, where another process joins in
---@field lanes? integer       of this process, whatever the job says
---@field recall? fun(row: table): table  finds the operation of a job of another revision
---@field patience number     seconds that a lost server is waited for
---@field leaves? boolean      lanes end where nothing is free, instead of waiting for the end of the job

local function refuse_edited(o, row)
  fault.raise("revision", ('backfill "%s" was edited after a part of it had been done'):format(o.name), {
    where = o.where, operation = o.kind, detail = ("job %d is %s"):format(row.id, row.state),
    hint = ("Restore its expressions; the size, speed and lanes may be changed freely. "
      .. "Or `moontide backfill resume %s` with --accept-edit: the rest is done as the file says now, "
      .. "or with --restart: all is done again."):format(o.name),
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
  list[#list + 1] = own:no_script_statement(place_of(o, place))
  list[#list + 1] = own:register_statement(place_of(o, place), fingerprint(o))
  return list
end

local function find(o, place, own)
  if place.row then return place.row end
  local row = place.db:exec(own:latest_statement(place_of(o, place)))[1]
  if row then return row end
  place.db:exec(own:register_statement(place_of(o, place), fingerprint(o)))
  return place.db:exec(own:latest_statement(place_of(o, place)))[1]
end

-- What failed with its first chunk may be edited: it begins again. Who joins in has the file as it was.
local function again(o, row, place, own)
  local new = not place.row and place.db:exec(own:again_statement(row.id))[1]
  if not new then refuse_edited(o, row) end
  return place.db:exec(own:job_statement(new.id))[1]
end

-- An edit that somebody has accepted leaves an empty fingerprint, which any fits.
local function checked(o, row, place, own)
  if row.fingerprint == fingerprint(o) then return row end
  if row.state ~= "planned" and row.fingerprint ~= "" then row = again(o, row, place, own) end
  place.db:exec(own:renew_statement(row.id, fingerprint(o)))
  return row
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

local function divide(self, told)
  local leaves, ranges, estimate = survey.leaves(self.db, self.o), {}, 0
  writers.wait(self.db, self.o, leaves)
  local wanted = math.max(8, math.min(4 * self.o.lanes, 256))
  for _, leaf in ipairs(leaves) do
    local count = math.max(1, wanted // #leaves)
    division.add(ranges, self.db, leaf, count)
    estimate = estimate + leaf.rows
  end
  preflight.check(self.db, self.o, leaves)
  local found = { leaves = leaves, columns = leaves[1] and archive_columns(self, leaves[1]), told = told,
    wal = growth.position(self.db) }
  return found, self.books:start_statements(self.id, ranges, found, estimate)
end

-- The table is divided once, by whoever comes first; all others find the ranges.
local function start(self)
  self.db:exec "BEGIN"
  local row = self.db:exec(self.books:hold_statement(self.id))[1]
  if row.state ~= "planned" then
    self.db:exec "ROLLBACK"
    return serialize.decode(row.spec)
  end
  local found, statements = divide(self, serialize.decode(row.spec).told)
  local list = {}
  for index, sql in ipairs(statements) do list[index] = { sql = sql } end
  list[#list + 1] = { sql = "COMMIT" }
  self.db:pipeline(list)
  return found
end

local function started(self, row)
  if row.state ~= "planned" then return serialize.decode(row.spec) end
  local ok, found = pcall(start, self)
  if ok then return found end
  self.db:rollback()
  error(found, 0)
end

-- What a script knows of its table it finds out with each chunk.
local function refuse_script(o)
  fault.raise("operation", ('backfill "%s" was begun by a script'):format(o.name), {
    where = o.where, operation = o.kind, final = true, settled = true,
    hint = ("Run the script again, which goes on where it stopped; or `moontide backfill cancel %s`, "
      .. "and the upgrade does all of it again."):format(o.name),
  })
end

local function spec_of(o, found)
  if not found.leaves then refuse_script(o) end
  return setmetatable(tree.kept(found), { __index = o })
end

local function describe(problem)
  return problem.message .. (problem.detail and "\n" .. problem.detail or "")
end

local function fail(self, problem)
  report.progress_end()
  problem = fault.of(problem)
  local state = (problem.kind == "interrupted" or problem.pauses) and "paused" or "failed"
  if not problem.settled then
    pcall(self.set_state, self, state, { reason = problem.message, error = describe(problem) })
  end
  error(problem, 0)
end

local function prepare(self, row)
  if self.o.write then self.transform = require("moontide.backfill.transform").new(self.spec, self.db) end
  tree.index(self)
  preflight.again(self.db, self.o, self.spec.leaves)
  if row.state ~= "planned" then self:set_state "running" end
end

--- A run of a job.
---@param o table
---@param place moontide.JobPlace
---@return moontide.BackfillRun? run  nil: it is done already
function job.open(o, place)
  local own = books.open(place.schema)
  local row = find(o, place, own)
  if row.state == "done" then return nil end
  if row.state == "abandoned" then orders.refuse(o) end
  row = checked(o, row, place, own)
  own.worker = identity.worker()
  local self = setmetatable({
    o = o, id = row.id, db = place.db, pooled = place.pooled, books = own, write = require "moontide.backfill.write",
    control = cjson.decode(row.control), crew = crew.new(), finished = false, counted = 0,
    lanes = place.lanes, leaves = place.leaves, staff = {}, pace = pace.new(), plain_connect = place.connect,
    patience = place.patience,
  }, Run)
  self.search_path = place.db:exec("SELECT current_setting('search_path') AS path")[1].path
  self.connect = function() return session.connect(self, place.connect) end
  self.spec = spec_of(o, started(self, row))
  local ok, problem = pcall(prepare, self, row)
  if not ok then fail(self, problem) end
  return self
end

function Run:set_state(state, fields) self.db:exec(self.books:state_statement(self.id, state, fields)) end

--- The limits of the size of chunks.
---@return { chunk_ms: number, max_rows: integer, rows?: integer }
function Run:limits() return knob.size(self) end

---@param oid integer
---@param pass integer
---@return moontide.BackfillLeaf
function Run:leaf(oid, pass)
  if not self.by_oid[oid] then tree.reload(self) end
  return order.of_pass(self.by_oid[oid], pass)
end

--- Take tables that became part of the tree.
---@param leaves moontide.BackfillLeaf[]
---@return table found  what is kept of the job
function Run:learn(leaves) return tree.learn(self, leaves) end

--- Take the live settings of the job.
---@param text string
---@param size moontide.ChunkSize
---@return boolean  whether to go on
function Run:obey(text, size)
  orders.take(self, text)
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
function Run:wait_for_go(lane) orders.wait(self, lane) end

--- How many lanes this process is to have.
---@return integer
function Run:wanted_lanes() return self.lanes or self.control.lanes or self.o.lanes end

--- What a lane does where nothing is free: wait for the last ranges of others, or end.
---@param lane moontide.Lane
---@return boolean  whether it ends
function Run:nothing_free(lane)
  self.left = self.leaves
  if not self.leaves then lane:sleep(0.1) end
  return self.leaves
end

--- Seconds to wait before the next chunk, outside of any transaction; nil for none.
---@return number?
function Run:must_pause()
  if self.crew.stopping then return 0 end
  if self.throttled then return 0.1 end
  if self.pace:is_spent(0) then return 0.02 end
  local left = self.pace.due - sys.clock()
  return left > 0.001 and math.min(left, 1) or nil
end

--- Whether there will be a pause after a chunk, so that the next one is not to be opened with it.
---@param rows integer  of the chunk
---@return boolean
function Run:has_pause_ahead(rows)
  return self:must_pause() ~= nil or knob.is_paced(self) or self.pace:is_spent(rows)
end

--- Note a chunk that is committed.
---@param changed integer
---@param seen integer
---@param seconds number  that it took
function Run:count(changed, seen, seconds)
  self.counted = self.counted + changed
  self.pace:count(seen, sys.clock(), seconds, knob.speed(self))
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

local function standing(self) return self.db:exec(self.books:progress_statement(self.id))[1] end

local function show(self)
  if not self.progress:due() then return end
  local state = standing(self)
  state.pause, state.lanes = self.pause or self.throttled, self.crew:count()
  state.waits = self.obstacle and self.obstacle.brief
  self.progress:show(state)
end

local function stopped(self)
  report.progress_end()
  local told, state = pcall(function()
    self:set_state("paused", { reason = "interrupted" })
    return standing(self)
  end)
  fault.raise("interrupted", "interrupted", {
    detail = told and ("backfill %s: %s"):format(self.o.name, progress.words(state)) or nil,
    hint = ('Backfill "%s" has committed what it did; the same command continues there.'):format(self.o.name),
  })
end

local function leave(self)
  local state = standing(self)
  report.progress_end()
  report.info(("backfill %s: nothing is free, others work on the last %d of its ranges; %s"):format(self.o.name,
    state.open, progress.words(state)))
end

--- Work on the job until it is done, or for a process that leaves, until nothing is free.
---@return boolean done
function Run:run()
  self.progress = progress.new(self.o.name, standing(self))
  report.verbose(("backfill %s: job %d"):format(self.o.name, self.id))
  local ok, problem = pcall(staff.work, self, function() show(self) end)
  local gone = not ok and failure.is_lost(fault.of(problem))
  if self.crew.stopping and (gone or ok and not self.finished) then stopped(self) end
  if not ok then fail(self, problem) end
  if not self.finished then
    leave(self)
    return false
  end
  local state = standing(self)
  self.progress:finish(state)
  local right, wrong = pcall(passes.finish, self)
  if not right then fail(self, wrong) end
  if state.rows_bad > 0 then report.warn(quarantine.words(self.o, state.rows_bad)) end
  self:set_state "done"
  notice.done(self, state)
  advice.give_after(self)
  return true
end

--- Say that a backfill is left to the background.
---@param o table
function job.left(o)
  report.info(("backfill %s is left to the background: `moontide backfill work %s` does it"):format(o.name, o.name))
end

-- Chunks that are committed stay, whatever else fails.
local function stands(o, place)
  local own = books.open(place.schema)
  local row = place.db:exec(own:latest_statement(place_of(o, place)))[1]
  local changed = row and row.state ~= "planned" and place.db:exec(own:progress_statement(row.id))[1].rows_changed
  if not changed or changed == 0 then return nil end
  return ('backfill "%s" has changed %d rows, which stay changed; the same command continues there.'):format(o.name,
    changed)
end

--- Do a backfill, or the rest of it.
---@param o table
---@param place moontide.JobPlace
function job.run(o, place)
  local ok, problem = xpcall(function()
    local run = job.open(o, place)
    if run then run:run() end
  end, require("moontide.gate").explain)
  if ok then return end
  local told, words = pcall(stands, o, place)
  problem.stands = told and words or nil
  if problem.stands and problem.kind == "interrupted" then problem.hint = nil end
  error(problem, 0)
end

return job
