--- The PostgreSQL programs on this machine.

local lfs = require "lfs"
local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"

local binaries = {}

---@class moontide.Binaries
---@field folder string
---@field version string   "15.20"
---@field major integer

local function is_file(path) return lfs.attributes(path, "mode") == "file" end

local function is_complete(folder)
  return is_file(folder .. "/initdb") and is_file(folder .. "/pg_ctl") and is_file(folder .. "/postgres")
end

local function from_pg_config()
  local ran = sys.run({ "pg_config", "--bindir" }, {})
  return ran and ran.status == 0 and ran.stdout:match("^[^\n]+") or nil
end

-- /usr/lib/postgresql/15/bin: where Debian puts each version, newest first.
local function from_packages()
  local root, versions, folders = "/usr/lib/postgresql", {}, {}
  if lfs.attributes(root, "mode") ~= "directory" then return folders end
  for name in lfs.dir(root) do
    if tonumber(name) then versions[#versions + 1] = tonumber(name) end
  end
  table.sort(versions, function(a, b) return a > b end)
  for _, version in ipairs(versions) do folders[#folders + 1] = ("%s/%d/bin"):format(root, version) end
  return folders
end

local function from_path()
  local folders = {}
  for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do folders[#folders + 1] = folder end
  return folders
end

local function chosen()
  local folder = os.getenv("MOONTIDE_PGBIN")
  if not folder or folder == "" then return nil end
  if not is_complete(folder) then
    fault.raise("config", ('no PostgreSQL server in "%s"'):format(folder), {
      detail = "$MOONTIDE_PGBIN must name a folder with initdb, pg_ctl and postgres",
    })
  end
  return folder
end

local function candidates()
  local folder = chosen()
  if folder then return { folder } end
  local list = { from_pg_config() }
  table.move(from_packages(), 1, 100, #list + 1, list)
  table.move(from_path(), 1, 100, #list + 1, list)
  return list
end

local function read_version(folder)
  local ran = sys.run({ folder .. "/postgres", "--version" }, {})
  return ran and ran.status == 0 and ran.stdout:match("(%d+[%.%w]*)") or nil
end

local function inspect(folder)
  local version = is_complete(folder) and read_version(folder)
  if not version then return nil end
  return { folder = folder, version = version, major = tonumber(version:match("^%d+")) }
end

--- The server programs to use: $MOONTIDE_PGBIN, else what pg_config names, else
--- the newest of Debian's, else those in $PATH.
---@param major? integer  only this version: the one that made the data folder
---@return moontide.Binaries?
function binaries.find(major)
  for _, folder in ipairs(candidates()) do
    local found = inspect(folder)
    if found and (not major or found.major == major) then return found end
  end
  return nil
end

--- Where psql is: beside the server, else in $PATH.
---@param found? moontide.Binaries
---@return string?
function binaries.psql(found)
  local folders = from_path()
  if found then table.insert(folders, 1, found.folder) end
  for _, folder in ipairs(folders) do
    if is_file(folder .. "/psql") then return folder .. "/psql" end
  end
  return nil
end

return binaries
