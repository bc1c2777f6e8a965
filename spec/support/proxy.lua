--- Drives spec-proxy (proxy.c): a server address that counts round trips and
--- can be slow, or cut the connection.
---
---     local wire <close> = proxy.start(server.database(), { tcp = true, delay = 20 })
---     cli.ok({ "upgrade", "--url", wire.url })
---     assert.equal(4, wire:counts().round_trips)

local cjson = require "cjson"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local proxy = {}

---@class spec.Proxy
---@field url string       the database, through the proxy
---@field pid integer
local Proxy = {}
Proxy.__index = Proxy

local function program()
  return os.getenv("MOONTIDE_PROXY") or "build/release/spec/spec-proxy"
end

local function keyword(url, name)
  local value = url:match("[?&]" .. name .. "=([^&]*)")
  return value and value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end) or nil
end

local function integers(report)
  for name, value in pairs(report) do report[name] = math.tointeger(value) end
  return report
end

-- Waits for a report with a number above `seen`.
local function read_report(path, seen)
  for _ = 1, 500 do
    local ok, report = pcall(cjson.decode, shell.read(path) or "")
    if ok and report.reports > seen then return integers(report) end
    os.execute("sleep 0.01")
  end
  error("spec-proxy does not report", 3)
end

local function arguments(self, url, options)
  local folder, port = keyword(url, "host"), keyword(url, "port") or "5432"
  local remote = folder:sub(1, 1) == "/" and folder .. "/.s.PGSQL." .. port or port
  local listen = options.tcp and "0" or self.folder .. "/.s.PGSQL.5432"
  local words = { program(), "--listen", listen, "--server", remote, "--report", self.report }
  for _, name in ipairs { "delay", "cut" } do
    if options[name] then
      words[#words + 1] = "--" .. name
      words[#words + 1] = tostring(options[name])
    end
  end
  return words
end

local function through(url, host, port)
  local address, count = url:gsub("([?&]host=)[^&]*", "%1" .. host:gsub("/", "%%%%2F"))
  assert(count == 1, "no host in " .. url)
  return (address:gsub("([?&]port=)[^&]*", "%1" .. port))
end

---@class spec.ProxyOptions
---@field tcp? boolean   listen on a port, where sslmode=prefer asks for TLS; default a Unix socket
---@field delay? number  milliseconds each way
---@field cut? string    SIDE:WHEN:NUMBER[:TEXT], see proxy.c

--- Start a proxy in front of the server of a database.
---@param url string  as `server.database` gives it
---@param options? spec.ProxyOptions
---@return spec.Proxy
function proxy.start(url, options)
  options = options or {}
  local folder = tmp.folder("w")
  local self = setmetatable({ folder = folder, report = folder .. "/report.json", base = {} }, Proxy)
  local words = arguments(self, url, options)
  os.execute(("%s </dev/null >%s/log 2>&1 & echo $! >%s/pid"):format(shell.join(words), folder, folder))
  self.pid = tonumber(shell.read(folder .. "/pid"))
  local ok, first = pcall(read_report, self.report, 0)
  if not ok then error("spec-proxy did not start: " .. (shell.read(folder .. "/log") or ""), 2) end
  self.seen = first.reports
  self.url = through(url, options.tcp and "127.0.0.1" or folder, options.tcp and first.port or 5432)
  return self
end

local function latest(self)
  os.execute(("kill -USR1 %d"):format(self.pid))
  local report = read_report(self.report, self.seen)
  self.seen = report.reports
  return report
end

--- What has passed since the start, or since `reset`: connections, open, round_trips, ready, cuts,
--- client_messages, server_messages, client_bytes, server_bytes.
---@return table<string, integer>
function Proxy:counts()
  local counts = latest(self)
  for name, value in pairs(counts) do counts[name] = value - (self.base[name] or 0) end
  return counts
end

--- Count from here.
function Proxy:reset()
  self.base = latest(self)
  self.base.open, self.base.port = nil, nil
end

--- Stop; connections through the proxy break.
function Proxy:stop()
  if self.pid then os.execute(("kill -TERM %d 2>/dev/null"):format(self.pid)) end
  self.pid = nil
end

Proxy.__close = Proxy.stop

return proxy
