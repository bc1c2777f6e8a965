--- Runs the real binary the way a shell would, in a clean environment, and
--- compares what it prints with golden files.

local lfs = require "lfs"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local cli = {}

local root = lfs.currentdir()

-- The rest of the caller's environment (PGHOST, DATABASE_URL, NO_COLOR ...) would change the results.
local passed = { "PATH", "MOONTIDE_LUA_PATH", "MOONTIDE_PGBIN", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS" }

--- The binary under test.
---@return string path
function cli.binary()
  return os.getenv("MOONTIDE_BINARY") or root .. "/build/release/moontide"
end

local function environment(extra)
  local env = { HOME = tmp.root(), LC_ALL = "C.UTF-8", TERM = "dumb", TZ = "UTC" }
  for _, name in ipairs(passed) do env[name] = os.getenv(name) end
  for name, value in pairs(extra or {}) do env[name] = value or nil end
  local words = { "env", "-i" }
  for name, value in pairs(env) do words[#words + 1] = name .. "=" .. value end
  return words
end

local function append(list, ...)
  for _, value in ipairs { ... } do list[#list + 1] = value end
end

local function words_of(args)
  if type(args) == "table" then return args end
  local words = {}
  for word in args:gmatch("%S+") do words[#words + 1] = word end
  return words
end

---@class spec.Ran
---@field status integer   exit code; 128 + n after signal n, 124 when the time was up
---@field stdout string
---@field stderr string

---@class spec.RunOptions
---@field cwd? string                           default: the root of the source tree
---@field env? table<string, string|false>      added to a clean environment; false takes one away
---@field input? string                         standard input, default empty
---@field timeout? number                       seconds, default 60
---@field program? string[]                     another program in place of the binary

--- Run the binary to its end.
---@param args string|string[]  words; a string is split at spaces
---@param options? spec.RunOptions
---@return spec.Ran
function cli.run(args, options)
  options = options or {}
  local base = tmp.name("run")
  local words = { "timeout", "-k", "5", tostring(options.timeout or 60) }
  append(words, table.unpack(environment(options.env)))
  append(words, table.unpack(options.program or { cli.binary() }))
  append(words, table.unpack(words_of(args)))
  if options.input then shell.write(base .. ".in", options.input) end
  local _, _, code = os.execute(("cd %s && %s <%s >%s.out 2>%s.err"):format(shell.quote(options.cwd or root),
    shell.join(words), options.input and base .. ".in" or "/dev/null", base, base))
  local ran = { status = code, stdout = shell.read(base .. ".out"), stderr = shell.read(base .. ".err") }
  for _, suffix in ipairs { ".in", ".out", ".err" } do os.remove(base .. suffix) end
  return ran
end

--- Run the binary; raise with everything it printed unless it exits with 0.
---@param args string|string[]
---@param options? spec.RunOptions
---@return string stdout
---@return string stderr
function cli.ok(args, options)
  local ran = cli.run(args, options)
  if ran.status ~= 0 then
    error(("exit code %d of moontide %s\n%s%s"):format(ran.status, table.concat(words_of(args), " "),
      ran.stdout, ran.stderr), 2)
  end
  return ran.stdout, ran.stderr
end

--- The binary as a background process, for Ctrl-C, kill and several runners at once.
---@class spec.Started
---@field pid integer
---@field base string
local Started = {}
Started.__index = Started

--- Start the binary and do not wait.
---@param args string|string[]
---@param options? spec.RunOptions
---@return spec.Started
function cli.start(args, options)
  options = options or {}
  local base = tmp.name("run")
  local words = environment(options.env)
  append(words, table.unpack(options.program or { cli.binary() }))
  append(words, table.unpack(words_of(args)))
  shell.write(base .. ".in", options.input or "")
  -- The inner sh becomes the program, so its id is the program's; the outer one waits for the exit code.
  local command = ("cd %s && { sh -c 'echo $$ >%s.pid; exec \"$@\"' sh %s <%s.in >%s.out 2>%s.err; echo $? >%s.rc; } &")
    :format(shell.quote(options.cwd or root), base, shell.join(words), base, base, base, base)
  os.execute(command)
  local pid
  repeat pid = tonumber(shell.read(base .. ".pid") or "") until pid or os.execute("sleep 0.01") == nil
  return setmetatable({ pid = pid, base = base }, Started)
end

--- Send a signal.
---@param name string  "INT", "TERM", "KILL" ...
function Started:signal(name)
  os.execute(("kill -%s %d 2>/dev/null"):format(name, self.pid))
end

--- What the process has printed so far.
---@return string stdout
---@return string stderr
function Started:output()
  return shell.read(self.base .. ".out") or "", shell.read(self.base .. ".err") or ""
end

--- Whether it has come to its end.
---@return boolean
function Started:has_ended() return shell.read(self.base .. ".rc") ~= nil end

--- Wait for the end.
---@param timeout? number  seconds, default 60; then the process is killed and an error raised
---@return spec.Ran
function Started:wait(timeout)
  local code
  for _ = 1, (timeout or 60) * 50 do
    code = tonumber(shell.read(self.base .. ".rc") or "")
    if code then break end
    os.execute("sleep 0.02")
  end
  if not code then
    self:signal("KILL")
    error("process still running after " .. (timeout or 60) .. " s", 2)
  end
  local stdout, stderr = self:output()
  return { status = code, stdout = stdout, stderr = stderr }
end

--- Wait until a condition holds; raise after ten seconds.
---@param what string  named in the error
---@param condition fun(): any
---@return any  what the condition answered
function cli.eventually(what, condition)
  for _ = 1, 500 do
    local answer = condition()
    if answer then return answer end
    os.execute("sleep 0.02")
  end
  error("waited ten seconds for: " .. what, 2)
end

--- A folder with the given files; `migrations/env.lua` is added unless given (`["migrations/env.lua"] = false`
--- leaves it out). Removed with the run's other temporary files.
---@param files? table<string, string|false>  path -> text
---@return string path
function cli.project(files)
  local path = tmp.folder("p")
  local all = { ["migrations/env.lua"] = "return {}\n" }
  for name, text in pairs(files or {}) do all[name] = text end
  for name, text in pairs(all) do
    if text then shell.write(path .. "/" .. name, text) end
  end
  if not lfs.attributes(path .. "/migrations") then lfs.mkdir(path .. "/migrations") end
  if not lfs.attributes(path .. "/migrations/versions") then lfs.mkdir(path .. "/migrations/versions") end
  return path
end

local revision_template = [[
--- %s
revision = %q
down_revision = %s
%s
function upgrade()
%s
end

function downgrade()
%s
end
]]

--- The text of a revision file.
---@param id string
---@param down? string|string[]
---@param fields? { upgrade: string?, downgrade: string?, doc: string?, head: string? }  bodies; head = further lines
---@return string
function cli.revision(id, down, fields)
  fields = fields or {}
  local parent = "nil"
  if type(down) == "string" then parent = ("%q"):format(down) end
  if type(down) == "table" then parent = '{ "' .. table.concat(down, '", "') .. '" }' end
  return revision_template:format(fields.doc or "Revision " .. id .. ".", id, parent, fields.head or "",
    fields.upgrade or "", fields.downgrade or "")
end

--- A project of one revision with this body of upgrade().
---@param body string
---@return string folder
function cli.upgrading(body)
  return cli.project { ["migrations/versions/a.lua"] = cli.revision("a1", nil, { upgrade = body }) }
end

local function masked(text, masks)
  for _, mask in ipairs(masks or {}) do text = text:gsub(mask[1], (mask[2]:gsub("%%", "%%%%"))) end
  return text
end

--- Compare text with the file spec/golden/NAME. MOONTIDE_GOLDEN=1 writes the file instead: review the difference.
---@param name string
---@param text string
---@param masks? string[][]  { pattern, replacement } pairs for what changes from run to run
function cli.golden(name, text, masks)
  local path = root .. "/spec/golden/" .. name
  text = masked(text, masks)
  if os.getenv("MOONTIDE_GOLDEN") == "1" then return shell.write(path, text) end
  local expected = shell.read(path)
  if not expected then error("no golden file " .. path .. "; run with MOONTIDE_GOLDEN=1 to write it", 2) end
  require("luassert").equal(expected, text)
end

return cli
