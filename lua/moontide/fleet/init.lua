--- A command over several targets: a process of this program for each, a few at a
--- time, the canary first and alone. What they print is shown line by line with the
--- name of the target. A run that was stopped is run again: what is done has nothing
--- left to do.

local fault = require "moontide.fault"
local report = require "moontide.report"
local summary = require "moontide.fleet.summary"
local sys = require "moontide.runtime.sys"

---@class moontide.Member
---@field name string
---@field outcome "done"|"failed"|"interrupted"|"skipped"
---@field seconds? number
---@field status? integer
---@field process? moontide.Process
---@field started? number
---@field partial { [1]: string, [2]: string }   lines that are not whole yet: of the output, of the errors

---@class moontide.Fleet
---@field members moontide.Member[]
---@field argv string[]
---@field limit integer
---@field keep_going boolean
---@field canary boolean    the first one goes alone
---@field width integer     of the longest name
local Fleet = {}
Fleet.__index = Fleet

local fleet = {}

-- What is printed -------------------------------------------------------------

-- JSON objects get the target as their first field, other lines get it in front.
local function tagged(self, name, line)
  if (report.is_json() or report.log_is_json()) and line:find("^{") then
    local tag = '{"target":' .. require("moontide.json").encode(name)
    return tag .. (line:find("^{%s*}") and "" or ",") .. line:sub(2)
  end
  return ("%-" .. self.width .. "s | %s"):format(name, line)
end

local writers = { report.out, report.relay }

local function show(self, member, stream, text)
  local lines, rest = (member.partial[stream] .. text):match("^(.*)\n([^\n]*)$")
  if not lines then
    member.partial[stream] = member.partial[stream] .. text
    return
  end
  member.partial[stream] = rest
  for line in (lines .. "\n"):gmatch("([^\n]*)\n") do writers[stream](tagged(self, member.name, line)) end
end

local function show_rest(self, member)
  for stream = 1, 2 do
    if member.partial[stream] ~= "" then show(self, member, stream, "\n") end
  end
end

local function pump(self, member)
  local out, err = member.process:read()
  show(self, member, 1, out or "")
  show(self, member, 2, err or "")
end

-- Members ---------------------------------------------------------------------

-- Of this program: the one that is running, whatever its name was.
local function command_of(self)
  return table.move(self.argv, 1, #self.argv, 2, { sys.realpath("/proc/self/exe") or "moontide" })
end

local function start(self, member)
  member.started = sys.clock()
  local process, problem = sys.spawn(command_of(self), { env = { MOONTIDE_ONLY_TARGET = member.name } })
  if not process then fault.raise("internal", problem) end
  member.process = process
end

local interrupted_status = 130

-- The last words are read after the end was seen, so none are lost.
local function settle(self, member, ended)
  pump(self, member)
  show_rest(self, member)
  member.process:close()
  member.process, member.seconds, member.status = nil, sys.clock() - member.started, ended.status
  member.outcome = ended.status == 0 and "done"
    or (ended.status == interrupted_status or ended.signal == 15) and "interrupted" or "failed"
  if member.outcome ~= "done" then self.failed = true end
end

local function running(self)
  local members, processes = {}, {}
  for _, member in ipairs(self.members) do
    if member.process then
      members[#members + 1], processes[#processes + 1] = member, member.process
    end
  end
  return members, processes
end

local function look(self)
  local members, processes = running(self)
  if #members == 0 then return end
  sys.attend(processes, 1)
  for _, member in ipairs(members) do
    local ended = member.process:ended()
    if ended then settle(self, member, ended) else pump(self, member) end
  end
end

-- How many may run now: the canary alone, then as many as are allowed, none after a failure.
local function room(self)
  local canary = self.canary and self.members[1]
  if canary and canary.outcome ~= "done" then return canary.started and 0 or 1 end
  if self.failed and not self.keep_going then return 0 end
  return self.limit - #running(self)
end

local function start_more(self)
  for _, member in ipairs(self.members) do
    if room(self) <= 0 then return end
    if not member.started then start(self, member) end
  end
end

local function conduct(self)
  repeat
    start_more(self)
    look(self)
  until #running(self) == 0 and room(self) * summary.count(self.members, "skipped") <= 0
end

-- Seconds in which a process can roll back and say goodbye.
local patience = 15

local function stop(self)
  for _, member in ipairs(running(self)) do member.process:terminate() end
  local deadline = sys.clock() + patience
  while #running(self) > 0 and sys.clock() < deadline do look(self) end
  for _, member in ipairs(running(self)) do
    member.process:close()
    member.process, member.outcome, member.seconds = nil, "interrupted", sys.clock() - member.started
  end
end

-- The whole -------------------------------------------------------------------

-- The canary is the first one, or the one that env.lua names when it is among them.
local function ordered(names, canary)
  local list = {}
  for _, name in ipairs(names) do
    table.insert(list, name == canary and 1 or #list + 1, { name = name, outcome = "skipped", partial = { "", "" } })
  end
  return list
end

local function widest(names)
  local width = 0
  for _, name in ipairs(names) do width = math.max(width, #name) end
  return width
end

local function refuse_script(args)
  if not args.sql then return end
  fault.raise("usage", "a script is of one target", { hint = "Name one with -n." })
end

-- The processes have no terminal to ask on, so the question is asked here, once.
local function ask(app, request, names, settings, argv)
  local asks = request.module.over_targets == "changes" and settings.confirm == "ask" and not app.args.yes
    and not request.args.dry_run and not report.is_json() and sys.isatty(0)
  if not asks then return argv end
  local question = ("run %s on %d targets"):format(request.module.name, #names)
  if not require("moontide.ask").confirm(app, question) then
    fault.raise("usage", "nothing was done", { hint = "The answer was no." })
  end
  return table.move(argv, 1, #argv, 2, { "--yes" })
end

local function new(request, names, settings, argv)
  local changes = request.module.over_targets == "changes"
  return setmetatable({
    members = ordered(names, settings.canary), argv = argv, width = widest(names),
    limit = request.args.jobs or settings.jobs, canary = changes and settings.canary ~= false,
    keep_going = not changes or request.args.keep_going or false,
  }, Fleet)
end

--- Run a command on several targets. Raises when one of them fails.
---@param app moontide.App
---@param request moontide.Request
---@param names string[]
---@param settings table   of env.lua: canary, jobs, confirm
---@param argv string[]    the words of the command line
function fleet.run(app, request, names, settings, argv)
  refuse_script(request.args)
  local self = new(request, names, settings, ask(app, request, names, settings, argv))
  local started = sys.clock()
  local ok, problem = pcall(conduct, self)
  if not ok then stop(self) end
  summary.show(self.members, sys.clock() - started, request.module.over_targets == "changes")
  if not ok then error(problem, 0) end
  summary.check(self.members, request.module.over_targets)
end

return fleet
