--- PgBouncer in transaction mode in front of a cluster that listens on a port.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local pooler = {}

local config = [[
[databases]
* = host=127.0.0.1 port=%d user=postgres
[pgbouncer]
listen_addr=127.0.0.1
listen_port=%d
auth_type=any
pool_mode=transaction
server_login_retry=1
unix_socket_dir=
logfile=%s/log
]]

--- Whether PgBouncer is installed.
---@return boolean
function pooler.is_there() return os.execute("command -v pgbouncer >/dev/null 2>&1") == true end

---@class spec.Pooler
---@field url string  with %s for the name of the database
---@field pid string
local Pooler = {}
Pooler.__index = Pooler

--- Start it.
---@param cluster spec.Cluster
---@return spec.Pooler
function pooler.start(cluster)
  local folder, port = tmp.folder("b"), math.random(32001, 32700)
  shell.write(folder .. "/pgbouncer.ini", config:format(cluster.port, port, folder))
  local owner = shell.capture "sh spec/support/cluster.sh owner"
  shell.capture(("chmod 777 %s && chown -R %s %s"):format(folder, owner, folder))
  local as = shell.capture "id -u" == "0" and "setpriv --reuid=postgres --regid=postgres --clear-groups " or ""
  os.execute(("%spgbouncer %s/pgbouncer.ini >/dev/null 2>&1 </dev/null & echo $! >%s/pid"):format(as, folder, folder))
  local pid = shell.read(folder .. "/pid"):match("%d+")
  local url = ("postgresql://postgres@127.0.0.1:%d/%%s"):format(port)
  cli.eventually("pgbouncer to answer", function() return pcall(server.sql, url:format "postgres", "SELECT 1") end)
  return setmetatable({ url = url, pid = pid }, Pooler)
end

--- The URL through the pooler of a database of the cluster.
---@param direct string
---@return string
function Pooler:through(direct) return self.url:format(direct:match("/([^/?]+)%?")) end

--- Stop it.
function Pooler:stop() os.execute("kill " .. self.pid .. " 2>/dev/null") end

return pooler
