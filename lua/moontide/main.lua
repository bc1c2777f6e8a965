--- argv in, exit code out. The only place that catches: every failure of the
--- program ends here, is printed once, and becomes an exit code.

local commandline = require "moontide.commandline"
local fault = require "moontide.fault"
local report = require "moontide.report"

-- A command of all targets, where there are several, is run by a process for each.
local function run_command(request, argv)
  report.configure(request.globals)
  local app <close> = require("moontide.app").new(request.globals)
  local targets, settings
  if request.module.over_targets then targets, settings = app:targets() end
  if targets then
    return require("moontide.fleet").run(app, request, targets, settings, argv)
  end
  return request.module.run(app, request.args)
end

local function dispatch(argv)
  local request = commandline.parse(argv)
  if request.text then return report.out(request.text) end
  if request.version then return report.out("moontide " .. require "moontide.version") end
  return run_command(request, argv)
end

-- A result that did not reach its file was not delivered.
local function deliver(argv)
  local code = dispatch(argv)
  report.flush()
  return code
end

-- A string that arrives here is a mistake in the program, so its traceback is kept.
local function explain(value)
  local problem = fault.of(value)
  if not problem.traceback then problem.traceback = debug.traceback("", 2):gsub("^%s+", "") end
  if problem.kind == "internal" then
    problem.hint = "This is a mistake in moontide itself; please report it with the output of --traceback."
  end
  return problem
end

-- Options of a command line that could not be read still say how to print.
local function configure_early(argv)
  local early = {}
  for _, word in ipairs(argv) do
    if word == "--json" then early.json = true end
    if word == "--traceback" then early.traceback = true end
    if word == "--color=never" then early.color = "never" end
  end
  report.configure(early)
end

--- Run the program.
---@param argv string[]
---@return integer exit_code
return function(argv)
  configure_early(argv)
  local ok, result = xpcall(deliver, explain, argv)
  if ok then return result or 0 end
  local problem = fault.of(result) -- out of memory comes as a string, past `explain`
  if not problem.silent then report.fault(problem) end
  return fault.exit_code(problem)
end
