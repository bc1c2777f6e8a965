--- PostgreSQL for specs: a fresh empty database on one shared private server,
--- or a private server of one's own. Both start at the first use, run as an
--- unprivileged user, and are gone when the busted process is.

local lfs = require "lfs"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local server = {}

local script = shell.quote(lfs.currentdir() .. "/spec/support/cluster.sh")

---@class spec.Cluster
---@field dir string       data folder, and the folder of the socket
---@field port integer     also with a Unix socket
---@field tcp boolean
---@field settings string[]
---@field bin? string      where the server binaries are, of another version than the machine's own
local Cluster = {}
Cluster.__index = Cluster

local function escape(text)
  return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function cluster_sh(bin, verb, ...)
  local environment = bin and "MOONTIDE_PGBIN=" .. shell.quote(bin) .. " " or ""
  return shell.capture(("%ssh %s %s %s"):format(environment, script, verb, shell.join { ... }))
end

--- Start the server and wait until it answers.
function Cluster:start()
  cluster_sh(self.bin, "start", self.dir, table.unpack(self.settings))
  self.running = true
end

--- Stop the server.
---@param mode? string  "fast" (default), "smart" or "immediate"
function Cluster:stop(mode)
  cluster_sh(self.bin, "stop", self.dir, mode or "fast")
  self.running = false
end

--- Kill every process of the server with SIGKILL.
function Cluster:kill()
  cluster_sh(self.bin, "kill", self.dir)
  self.running = false
end

--- The URL of a database of this server.
---@param database? string  default "postgres"
---@param options? table<string, string>  further connection keywords; `user` replaces "postgres"
---@return string
function Cluster:url(database, options)
  local fields = { ("host=%s"):format(escape(self.tcp and "127.0.0.1" or self.dir)), "port=" .. self.port }
  local user = "postgres"
  for key, value in pairs(options or {}) do
    if key == "user" then user = value else fields[#fields + 1] = key .. "=" .. escape(value) end
  end
  return ("postgresql://%s@/%s?%s"):format(escape(user), database or "postgres", table.concat(fields, "&"))
end

--- Run SQL with psql on this server and return what it prints, unaligned, without headers.
---@param sql string
---@param database? string
---@return string
function Cluster:sql(sql, database)
  return server.sql(self:url(database), sql)
end

--- A fresh empty database on this server.
---@return string url
function Cluster:database()
  self.count = (self.count or 0) + 1
  local name = "db" .. self.count
  self:sql(("create database %s template template0"):format(name))
  return self:url(name)
end

--- A server that follows this one, started, by a copy of its folder while it is stopped: not every
--- version has its pg_basebackup here, and another's does not do.
---@return spec.Cluster
function Cluster:standby()
  local dir = tmp.name("standby")
  self:stop()
  shell.capture(("cp -a %s %s && cd %s && rm -f server.log && touch standby.signal && chown --reference=PG_VERSION "
    .. "standby.signal && echo \"primary_conninfo = 'host=%s port=%d user=postgres'\" >>postgresql.auto.conf")
    :format(self.dir, dir, dir, self.dir, self.port))
  self:start()
  local other = setmetatable({ dir = dir, port = self.port, settings = self.settings, bin = self.bin }, Cluster)
  other:start()
  return other
end

--- What the server has written to its log.
---@return string
function Cluster:log()
  return shell.read(self.dir .. "/server.log") or ""
end

--- Stop the server and remove its folder.
function Cluster:remove()
  if self.running then self:stop("immediate") end
  tmp.remove(self.dir)
end

local function make_certificate(dir)
  local user = cluster_sh(nil, "owner")
  shell.capture(("cd %s && openssl req -new -x509 -nodes -days 2 -subj /CN=localhost -out server.crt "
    .. "-keyout server.key 2>openssl.log && chmod 600 server.key && chown %s server.crt server.key"):format(dir, user))
end

--- A private server, created and started.
---@param options? { tcp: boolean?, tls: boolean?, settings: table<string, any>?, hba: string?, start: boolean?,
---  bin: string? }
---@return spec.Cluster
function server.cluster(options)
  options = options or {}
  -- The template beside a cluster is of its version.
  local dir = options.bin and tmp.folder("v") .. "/c" or tmp.name("c")
  local self = setmetatable({ dir = dir, tcp = options.tcp == true, port = 5432, settings = {}, bin = options.bin },
    Cluster)
  cluster_sh(self.bin, "create", self.dir)
  if options.hba then shell.write(self.dir .. "/pg_hba.conf", options.hba) end
  local settings = { ssl = options.tls and "on" or nil }
  if options.tls then make_certificate(self.dir) end
  if self.tcp then
    self.port = math.random(20000, 32000)   -- below the ports that the system hands out
    settings.listen_addresses, settings.port = "127.0.0.1", self.port
  end
  for name, value in pairs(options.settings or {}) do settings[name] = value end
  for name, value in pairs(settings) do self.settings[#self.settings + 1] = name .. "=" .. tostring(value) end
  if options.start ~= false then self:start() end
  return self
end

local shared

--- The shared server.
---@return spec.Cluster
function server.shared()
  shared = shared or server.cluster()
  return shared
end

--- A fresh empty database on the shared server.
---@return string url
function server.database()
  return server.shared():database()
end

--- Drop a database made by `server.database`, throwing out whoever is connected.
---@param url string
function server.drop(url)
  local name = assert(url:match("^postgresql://[^/]*/([^?]+)"), "not a database URL: " .. url)
  server.shared():sql(("drop database if exists %s with (force)"):format(name))
end

--- Run SQL with psql and return what it prints, unaligned, without headers. Raises when it fails.
---@param url string
---@param sql string
---@return string
function server.sql(url, sql)
  local psql = server.program "psql"
  return shell.capture(shell.join { psql, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql })
end

local bin

--- Where the server binaries are.
---@return string
function server.bin()
  bin = bin or cluster_sh(nil, "bin")
  return bin
end

local programs = {}

--- A client program: beside the server, or the machine's own where the server came without.
---@param name string
---@return string path
function server.program(name)
  local own = server.bin() .. "/" .. name
  programs[name] = programs[name] or lfs.attributes(own) and own or cluster_sh("", "bin") .. "/" .. name
  return programs[name]
end

return server
