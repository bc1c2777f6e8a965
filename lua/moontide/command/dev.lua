--- `moontide dev`: a private throwaway PostgreSQL for the project.

local fault = require "moontide.fault"
local report = require "moontide.report"

local function options(command)
  command:argument("verb", "start, stop, status, url or psql"):choices { "start", "stop", "status", "url", "psql" }
  command:argument("arguments", "what psql is given"):args("*")
end

-- The folder above that of env.lua; without an environment the current folder, so that one can start before `init`.
local function project_of(app)
  local sys = require "moontide.runtime.sys"
  local found, file = pcall(require("moontide.config").find, app.args)
  if found then return sys.realpath((file:match("^(.*)/[^/]*$") or ".") .. "/..") end
  if app.args.config or os.getenv("MOONTIDE_CONFIG") then error(file, 0) end
  return sys.realpath(".")
end

local function facts(server, version)
  return {
    running = version ~= nil, version = version, url = version and server:url() or nil,
    folder = server.place.folder, log = server.place.folder .. "/server.log",
    user = server.place.account and server.place.account.name or nil,
  }
end

local function print_facts(server, document, headline)
  if report.is_json() then return report.json(document) end
  report.out(headline)
  if document.running then report.out("url     " .. document.url) end
  if server.place.exists then
    report.out("folder  " .. document.folder)
    report.out("log     " .. document.log)
  end
end

local function require_running(server)
  local version = server:running()
  if version then return version end
  fault.raise("connection", "the development server is not running", { hint = "Run `moontide dev start`." })
end

local verbs = {}

function verbs.start(server)
  local started = server:start()
  local document = facts(server, require_running(server))
  document.started = started
  local word = started and "started PostgreSQL %s" or "PostgreSQL %s is already running"
  print_facts(server, document, word:format(document.version))
end

function verbs.stop(server)
  local stopped = server:stop()
  if report.is_json() then return report.json { running = false, stopped = stopped } end
  report.out(stopped and "stopped the development server" or "the development server is not running")
end

function verbs.status(server)
  local version = server:running()
  print_facts(server, facts(server, version),
    version and ("PostgreSQL %s is running"):format(version) or "the development server is not running")
  return version and 0 or 1
end

function verbs.url(server)
  require_running(server)
  if report.is_json() then return report.json { url = server:url() } end
  report.out(server:url())
end

function verbs.psql(server, arguments)
  require_running(server)
  return server:psql(arguments)
end

local function run(app, args)
  if args.verb ~= "psql" and #args.arguments > 0 then
    fault.raise("usage", ('unexpected argument "%s"'):format(args.arguments[1]))
  end
  return verbs[args.verb](require("moontide.devserver").open(project_of(app)), args.arguments)
end

return {
  name = "dev",
  summary = "run a private throwaway PostgreSQL for the project",
  description = "Runs a private PostgreSQL from the server programs of this machine: its own data folder under the"
    .. " project, a Unix socket, no network. status exits with 1 when the server does not run; url prints what"
    .. " DATABASE_URL needs; psql passes its arguments on.",
  rest = function(words)
    for _, word in ipairs(words) do
      if word:sub(1, 1) ~= "-" then return word == "psql" end
    end
    return false
  end,
  options = options,
  run = run,
}
