--- The private throwaway PostgreSQL of a project: one data folder, reached through
--- a Unix socket only, trusted connections, durability traded for speed.

local lfs = require "lfs"
local sys = require "moontide.runtime.sys"
local binaries = require "moontide.devserver.binaries"
local place = require "moontide.devserver.place"
local fault = require "moontide.fault"
local report = require "moontide.report"

---@class moontide.DevServer
---@field place moontide.Place
local DevServer = {}
DevServer.__index = DevServer

local devserver = {}

--- The development server of a project.
---@param project string  absolute path of its folder
---@return moontide.DevServer
function devserver.open(project)
  return setmetatable({ place = place.of(project) }, DevServer)
end

-- Programs --------------------------------------------------------------------

-- PGPORT, PGDATA and the like of the user's shell are for other servers.
local function clean_environment()
  local env = { LC_ALL = "C" }
  for name in pairs(sys.environ()) do
    if name:find("^PG") then env[name] = false end
  end
  return env
end

function DevServer:data_version()
  local text = sys.read(self.place.folder .. "/data/PG_VERSION")
  return text and math.tointeger(tonumber(text:match("%d+"))) or nil
end

local function no_binaries(self, major)
  if not major then
    fault.raise("config", "no PostgreSQL server programs found on this machine", {
      hint = "Install the package postgresql, or set $MOONTIDE_PGBIN to the folder with initdb, pg_ctl and postgres.",
    })
  end
  fault.raise("config", ("the development server needs PostgreSQL %d, which is not installed"):format(major), {
    detail = "its data were made by that version",
    hint = ('Install it, or delete "%s" to start with an empty database.'):format(self.place.folder),
  })
end

function DevServer:binaries()
  local major = self:data_version()
  self.found = self.found or binaries.find(major) or no_binaries(self, major)
  return self.found
end

-- The folder is the current one and paths are relative, because pg_ctl passes them through a shell.
function DevServer:program(name, ...)
  local account = self.place.account
  local argv = { self:binaries().folder .. "/" .. name, ... }
  local ran, message = sys.run(argv, {
    cwd = self.place.folder, env = clean_environment(), uid = account and account.uid, gid = account and account.gid,
  })
  if not ran then fault.raise("file", message) end
  return ran
end

-- Files -----------------------------------------------------------------------

local function trimmed(text) return text:match("^%s*(.-)%s*$") end

local function remove(path) sys.run({ "rm", "-rf", path }, {}) end

local function encode(text)
  return (text:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

local function setting(text) return "'" .. text:gsub("\\", "\\\\"):gsub("'", "''") .. "'" end

local settings = [[
# Written by moontide at every start of the development server.
listen_addresses = ''
port = 5432
unix_socket_directories = %s
fsync = off
synchronous_commit = off
full_page_writes = off
# The bookkeeping schema has the name of the role, and "$user" would make it the place of the project's tables.
search_path = public
]]

-- Rewritten each time, since the project may have moved.
local function write_settings(self)
  local path = self.place.folder .. "/data/moontide.conf"
  local folder = '"' .. self.place.socket:gsub('"', '""') .. '"'
  sys.write(path, settings:format(setting(folder)))
  if self.place.account then sys.chown(path, self.place.account.uid, self.place.account.gid) end
end

local function tail(path, count)
  local lines = {}
  for line in (sys.read(path) or ""):gmatch("[^\n]+") do lines[#lines + 1] = line end
  return table.concat(lines, "\n", math.max(1, #lines - count + 1))
end

local function append(path, text)
  local before = sys.read(path) or ""
  sys.write(path, before .. text)
end

-- The cluster becomes `data` when it is complete, so a half-made one is never used.
local function create_cluster(self)
  local new = self.place.folder .. "/data.new"
  report.info(("creating the data of PostgreSQL %s in %s"):format(self:binaries().version, self.place.folder))
  remove(new)
  local ran = self:program("initdb", "-D", "data.new", "-U", "moontide", "-A", "trust", "-E", "UTF8", "--locale=C",
    "--no-sync")
  if ran.status ~= 0 then
    remove(new)
    fault.raise("server", "could not create the data of the development server", { detail = trimmed(ran.stderr) })
  end
  append(new .. "/postgresql.conf", "\ninclude = 'moontide.conf'\n")
  local account = self.place.account
  if account then sys.chown(new .. "/postgresql.conf", account.uid, account.gid) end
  assert(os.rename(new, self.place.folder .. "/data"))
end

-- A dead postmaster's lock files stop the next one when their process id is in use again.
local function is_postgres(pid)
  local status = sys.read(("/proc/%d/stat"):format(pid))
  if not status then return lfs.attributes("/proc/self", "mode") == nil end
  local name, state = status:match("%((.*)%) (%a)")
  return name ~= nil and name:find("^post") ~= nil and state ~= "Z"
end

local function remove_stale(path)
  local pid = tonumber((sys.read(path) or ""):match("^%d+"))
  if pid and not is_postgres(pid) then os.remove(path) end
end

local function remove_stale_locks(self)
  remove_stale(self.place.folder .. "/data/postmaster.pid")
  remove_stale(self.place.socket .. "/.s.PGSQL.5432.lock")
end

-- The server --------------------------------------------------------------------

local function url_of(self, database)
  return ("postgresql://moontide@/%s?host=%s&port=5432"):format(database, encode(self.place.socket))
end

--- The URL of its database, fit for $DATABASE_URL.
---@return string
function DevServer:url() return url_of(self, "moontide") end

-- A connection, or nil and why not. Not db.lua's URL checks: this URL is ours.
local function connect(self, database)
  local ok, result = pcall(require("moontide.db").connect, url_of(self, database), { timeout = 5 })
  if ok then return result end
  if result.kind == "interrupted" then error(result, 0) end
  return nil, result
end

--- Whether the server answers; the server's version with it.
---@return string? version
function DevServer:running()
  if not self.place.exists or not self:data_version() then return nil end
  local db = connect(self, "postgres")
  if not db then return nil end
  local version = db.conn:parameter("server_version"):match("^%S+")
  db:close()
  return version
end

local function ensure_database(self)
  local db <close> = assert(connect(self, "postgres"))
  local found = db:exec("SELECT 1 FROM pg_database WHERE datname = 'moontide'")
  if #found == 0 then db:exec("CREATE DATABASE moontide") end
end

local function log_path(self) return self.place.folder .. "/server.log" end

-- Another `dev start` may be a moment ahead of this one.
local function wait_until_running(self)
  for _ = 1, 50 do
    if self:running() then return true end
    if not lfs.attributes(self.place.folder .. "/data/postmaster.pid") then return false end
    sys.sleep(0.1)
  end
  return false
end

local function start_process(self)
  local ran = self:program("pg_ctl", "start", "-D", "data", "-l", "server.log", "-w", "-t", "60", "-s")
  if ran.status == 0 or wait_until_running(self) then return end
  fault.raise("server", "could not start the development server", {
    detail = tail(log_path(self), 5),
    hint = ('The whole log is "%s". To start with an empty database, delete "%s".')
      :format(log_path(self), self.place.folder),
  })
end

--- Start the server unless it runs. The data are created at the first start.
---@return boolean started  false when it was running
function DevServer:start()
  if self:running() then return false end
  self:binaries()
  place.make(self.place)
  if not self:data_version() then create_cluster(self) end
  remove_stale_locks(self)
  write_settings(self)
  start_process(self)
  ensure_database(self)
  return true
end

--- Stop the server if it runs; connections are ended.
---@return boolean stopped  false when it was not running
function DevServer:stop()
  if not self:running() then
    if self.place.exists then remove_stale_locks(self) end
    if not lfs.attributes(self.place.folder .. "/data/postmaster.pid") then return false end
  end
  local ran = self:program("pg_ctl", "stop", "-D", "data", "-m", "fast", "-w", "-t", "60", "-s")
  if ran.status ~= 0 then
    fault.raise("server", "could not stop the development server", { detail = trimmed(ran.stderr) })
  end
  if self.place.socket ~= self.place.folder then lfs.rmdir(self.place.socket) end
  return true
end

--- Run psql on its database in the foreground.
---@param arguments string[]
---@return integer exit_code
function DevServer:psql(arguments)
  local psql = binaries.psql(binaries.find(self:data_version()))
  if not psql then
    fault.raise("config", "psql is not installed", { hint = "Install the package postgresql-client." })
  end
  local ran, message = sys.run({ psql, "-d", self:url(), table.unpack(arguments) }, { foreground = true })
  if not ran then fault.raise("file", message) end
  return ran.status or 128 + ran.signal
end

return devserver
