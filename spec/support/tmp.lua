--- One temporary folder for the whole run; a watching sh removes it (and stops
--- the servers in it) when this process is gone, however it ended.

local lfs = require "lfs"
local shell = require "spec.support.shell"

local tmp = {}

local script = lfs.currentdir() .. "/spec/support/cluster.sh"
local root
local count = 0

local function create()
  local path = shell.capture("mktemp -d /tmp/mt.XXXXXX")
  shell.capture("chmod 755 " .. path)
  os.execute(("sh %s watch %s $PPID </dev/null >/dev/null 2>&1 &"):format(shell.quote(script), path))
  return path
end

--- The temporary folder of this run.
---@return string
function tmp.root()
  root = root or create()
  return root
end

--- A name in the temporary folder that nobody has used.
---@param prefix string
---@return string path
function tmp.name(prefix)
  count = count + 1
  return ("%s/%s%d"):format(tmp.root(), prefix, count)
end

--- A new empty folder; readable by other users.
---@param prefix? string
---@return string path
function tmp.folder(prefix)
  local path = tmp.name(prefix or "d")
  assert(lfs.mkdir(path))
  return path
end

--- Remove a folder and everything in it.
---@param path string
function tmp.remove(path)
  assert(path:sub(1, #tmp.root() + 1) == tmp.root() .. "/", "not a temporary path: " .. path)
  shell.capture("rm -rf " .. shell.quote(path))
end

return tmp
