--- Several connections at work in one process: each lane is a coroutine that sends its
--- statements and gives way until the answer is there, so that while the server works
--- for one lane, Lua works for another.

local caller = require "moontide.caller"
local sys = require "moontide.runtime.sys"
local database = require "moontide.db"
local fault = require "moontide.fault"

---@class moontide.Lane
---@field db moontide.Db
---@field size? moontide.ChunkSize
---@field blocked? boolean  its last chunk met a lock for too long
---@field under_way table[][]  lists of statements that were sent and not answered
---@field landing? table[]     the list whose answer is waited for, or has failed
local Lane = {}
Lane.__index = Lane

---@class moontide.Crew
---@field lanes { lane: moontide.Lane, routine: thread, attendant?: boolean }[]
---@field stopping boolean  Ctrl-C was pressed: chunks are finished, no more are begun
local Crew = {}
Crew.__index = Crew

local crew = {}

-- What a lane waits for. Values of our own, since a function of the user may yield too.
local answer, sleep = {}, {}

--- A lane of a connection.
---@param db? moontide.Db  of one that sleeps first, later
---@return moontide.Lane
function crew.lane(db) return setmetatable({ db = db, under_way = {} }, Lane) end

--- Send statements without waiting for answers. They are run after all that was sent before.
---@param list { sql: string, params?: table, rows?: boolean }[]
function Lane:send(list)
  self.db:launch(list)
  self.under_way[#self.under_way + 1] = list
end

local function land(self)
  self.landing = table.remove(self.under_way, 1)
  coroutine.yield(answer)
  local results = self.db:land(self.landing)
  self.landing = nil
  return results
end

--- Wait for all that was sent, giving way to the other lanes meanwhile.
---@return table[]? results  of the list that was sent last
function Lane:settle()
  local results
  while #self.under_way > 0 do results = land(self) end
  return results
end

--- Wait for all that was sent, whatever becomes of it.
function Lane:forget()
  pcall(self.settle, self)
  self.under_way, self.landing = {}, nil
end

--- Run statements in one round trip, giving way to the other lanes meanwhile.
---@param list { sql: string, params?: table, rows?: boolean }[]
---@return table[] results
function Lane:pipeline(list)
  self:send(list)
  return self:settle()
end

--- Wait, giving way to the other lanes.
---@param seconds number
function Lane:sleep(seconds)
  self.wakes = sys.clock() + seconds
  coroutine.yield(sleep)
end

---@return moontide.Crew
function crew.new() return setmetatable({ lanes = {}, stopping = false }, Crew) end

--- Add a lane with what it does.
---@param lane moontide.Lane
---@param work fun()
---@param attendant? boolean  nobody waits for it
function Crew:add(lane, work, attendant)
  self.lanes[#self.lanes + 1] = { lane = lane, routine = coroutine.create(work), attendant = attendant }
end

--- How many lanes there are that are waited for.
---@return integer
function Crew:count()
  local count = 0
  for _, member in ipairs(self.lanes) do count = count + (member.attendant and 0 or 1) end
  return count
end

-- Nobody is there who would resume a function of the user.
local function refuse_yield(routine)
  fault.raise("revision", "a function of a backfill cannot yield", { where = caller.where(routine), final = true,
    hint = "coroutine.yield leads out of the function only where coroutine.resume or coroutine.wrap has called it." })
end

local function resume(self, index)
  local member = self.lanes[index]
  local ok, state = coroutine.resume(member.routine)
  member.state = state
  local dead = coroutine.status(member.routine) == "dead"
  if dead then table.remove(self.lanes, index) end
  if not ok then error(fault.of(state), 0) end
  if not dead and state ~= answer and state ~= sleep then refuse_yield(member.routine) end
end

local function start(self)
  for index = #self.lanes, 1, -1 do
    if not self.lanes[index].state then resume(self, index) end
  end
end

-- After Ctrl-C nobody that is waited for sleeps on.
local function wake(self)
  local now = sys.clock()
  for index = #self.lanes, 1, -1 do
    local member = self.lanes[index]
    local due = member.lane.wakes and member.lane.wakes <= now or self.stopping and not member.attendant
    if member.state == sleep and due then resume(self, index) end
  end
end

local function nap(self, limit)
  local now = sys.clock()
  for _, member in ipairs(self.lanes) do
    if member.state == sleep then limit = math.min(limit, math.max(0, member.lane.wakes - now)) end
  end
  return limit
end

local function waiting(self)
  local list, indexes = {}, {}
  for index, member in ipairs(self.lanes) do
    if member.state == answer then list[#list + 1], indexes[#indexes + 1] = member.lane.db, index end
  end
  return list, indexes
end

-- One wait, and what follows from it.
local function step(self, limit)
  local list, indexes = waiting(self)
  limit = nap(self, limit)
  if #list == 0 then return sys.sleep(limit) end
  local ready = database.wait(list, limit)
  if ready then resume(self, indexes[ready]) end
end

local function turn(self, tick)
  start(self)
  if self:count() == 0 then return end
  step(self, 0.2)
  wake(self)
  tick()
end

-- The first Ctrl-C lets every lane finish its chunk.
local function patient_turn(self, tick)
  local ok, problem = pcall(turn, self, tick)
  if ok then return end
  problem = fault.of(problem)
  if problem.kind ~= "interrupted" or self.stopping then error(problem, 0) end
  self.stopping = true
end

--- Let the lanes work until all are done; `tick` is called a few times a second.
--- In the main coroutine Ctrl-C would raise between any two lines, in another one only where something waits.
---@param tick fun()
function Crew:run(tick)
  local ok, problem = coroutine.resume(coroutine.create(function()
    while self:count() > 0 do patient_turn(self, tick) end
  end))
  if not ok then error(problem, 0) end
end

return crew
