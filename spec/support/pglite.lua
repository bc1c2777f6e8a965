--- A server with pgvector: PGlite, started in memory on Node. One backend serves everybody in turn, so it is for one
--- connection at a time; COPY FROM STDIN must never be sent to it, it does not come back from that.

local lfs = require "lfs"
local pg = require "moontide.runtime.pg"
local shell = require "spec.support.shell"
local sys = require "moontide.runtime.sys"
local tmp = require "spec.support.tmp"

local pglite = {}

local script = "node_modules/@electric-sql/pglite-socket/dist/scripts/server.js"

--- Where it is installed; nil, and a word on the terminal, where it is not.
---@return string?
function pglite.find()
  local root = shell.capture "sh spec/support/install-pglite.sh where"
  if lfs.attributes(root .. "/" .. script, "mode") and os.execute "command -v node >/dev/null" then return root end
  io.stderr:write("skipped: specs on a server with pgvector (sh spec/support/install-pglite.sh installs one; Node is "
    .. "needed)\n")
end

local function answers(url)
  local ok, conn = pcall(pg.connect, url, { timeout = 5 })
  if ok then conn:close() end
  return ok
end

local function wait(url, log)
  for _ = 1, 300 do
    if answers(url) then return end
    sys.sleep(0.2)
  end
  error("PGlite did not start:\n" .. (shell.read(log) or ""))
end

---@class spec.Pglite
---@field url string
---@field pid string
local Pglite = {}
Pglite.__index = Pglite

--- Take everything away that is in the database.
function Pglite:clear()
  local conn <close> = pg.connect(self.url)
  conn:exec "DISCARD ALL"
  conn:script "DROP SCHEMA IF EXISTS moontide CASCADE; DROP EXTENSION IF EXISTS vector CASCADE; \z
    DROP SCHEMA public CASCADE; CREATE SCHEMA public"
end

function Pglite:stop() os.execute("kill " .. self.pid .. " 2>/dev/null") end

--- Start one.
---@param root string  as `find` answers it
---@return spec.Pglite
function pglite.start(root)
  local port, log = math.random(20000, 32000), tmp.name("pglite") .. ".log"   -- below the ports that the system gives
  local pid = shell.capture(("cd %s && { node %s --host 127.0.0.1 --port %d --db memory:// --max-connections 10 "
    .. "--extensions @electric-sql/pglite-pgvector:vector >%s 2>&1 </dev/null & echo $!; }")
    :format(shell.quote(root), script, port, shell.quote(log)))
  local self = setmetatable({ pid = pid:match("%d+"),
    url = ("postgresql://postgres@127.0.0.1:%d/postgres?sslmode=disable"):format(port) }, Pglite)
  local ok, problem = pcall(wait, self.url, log)
  if not ok then
    self:stop()
    error(problem, 0)
  end
  return self
end

return pglite
