--- Commands, timed. The commands of a case take turns (A B A B), and what is compared
--- is the median of the ratios of neighbours, so that a machine that is busy for a
--- while weighs on both.

local cli = require "spec.support.cli"
local sys = require "moontide.runtime.sys"

---@class bench.Samples
---@field taken table<string, { seconds: number, kib: integer, cpu: number? }[]>  by the name of the subject
local Samples = {}
Samples.__index = Samples

local samples = {}

---@return bench.Samples
function samples.new() return setmetatable({ taken = {} }, Samples) end

-- Nothing of the caller's environment takes part (PGOPTIONS, DATABASE_URL, PAGER ...).
local function environment()
  local env = {}
  for name in pairs(sys.environ()) do env[name] = false end
  env.PATH, env.HOME, env.LC_ALL = os.getenv("PATH"), "/nonexistent", "C.UTF-8"
  return env
end

--- Run a command to its end and keep what it took.
---@param subject string
---@param argv string[]
---@param meter? fun(): number  the CPU seconds of a server so far
function Samples:take(subject, argv, meter)
  local before = meter and meter()
  local started = sys.clock()
  local ran = assert(sys.run(argv, { env = environment() }))
  local seconds = sys.clock() - started
  if ran.status ~= 0 then error(table.concat(argv, " ") .. "\n" .. ran.stderr, 0) end
  local list = self.taken[subject] or {}
  self.taken[subject] = list
  list[#list + 1] = { seconds = seconds, kib = ran.usage.maxrss, cpu = meter and meter() - before }
end

--- Let commands take turns.
---@param rounds integer
---@param commands { [1]: string, [2]: string[] }[]  subject and words
function Samples:turns(rounds, commands)
  for _ = 1, rounds do
    for _, command in ipairs(commands) do self:take(command[1], command[2]) end
  end
end

--- The words of a call of the program.
---@param project string  folder of an environment
---@param ... string
---@return string[]
function samples.moontide(project, ...)
  return { cli.binary(), "--config", project .. "/env.lua", ... }
end

local function median(list)
  table.sort(list)
  local middle = #list // 2
  return #list % 2 == 1 and list[middle + 1] or (list[middle] + list[middle + 1]) / 2
end

local function column(list, field)
  local values = {}
  for index, sample in ipairs(list) do values[index] = sample[field] end
  return values
end

-- Of neighbours; a ratio of speeds is that of times upside down.
local function ratio(ours, theirs, field, speed)
  local list = {}
  for index = 1, math.min(#ours, #theirs) do
    local one, other = ours[index][field], theirs[index][field]
    if not (one and other) then return nil end
    if speed then list[index] = other / one else list[index] = one / other end
  end
  return median(list)
end

---@class bench.Row
---@field title string
---@field ours string       a subject
---@field theirs string     another
---@field reference? string  what the table calls it, when not by the subject
---@field aim? number       of the ratio
---@field speed? boolean    the ratio is one of speeds: more is better

--- What was measured, in numbers.
---@param row bench.Row
---@return table
function Samples:row(row)
  local ours, theirs = self.taken[row.ours], self.taken[row.theirs]
  return {
    title = row.title, reference = row.reference or row.theirs, aim = row.aim, speed = row.speed,
    ratio = ratio(ours, theirs, "seconds", row.speed), cpu = ratio(ours, theirs, "cpu", row.speed),
    seconds = { median(column(ours, "seconds")), median(column(theirs, "seconds")) },
    kib = { median(column(ours, "kib")), median(column(theirs, "kib")) },
  }
end

return samples
