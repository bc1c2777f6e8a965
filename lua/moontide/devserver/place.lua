--- Where the development server of a project lives, and as whom it runs. Usually
--- that is `.moontide/dev` in the project and the user who asks. PostgreSQL refuses
--- to run as root, so root's server runs as the owner of the project, else as a
--- system user; where that user cannot reach the project, the server lives in
--- /var/tmp, and `.moontide/dev.location` says where.

local lfs = require "lfs"
local digest = require "moontide.runtime.digest"
local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"

local place = {}

---@class moontide.Place
---@field project string
---@field account? { name: string, uid: integer, gid: integer }  whom to run as; nil is the current user
---@field folder string    holds data/, server.log and usually the socket
---@field socket string    the folder of the socket
---@field exists boolean   the folder is there

-- struct sockaddr_un holds 108 bytes with the final zero.
local socket_limit = 107
local socket_name = "/.s.PGSQL.5432"

local function account_for(project)
  if sys.uid() ~= 0 then return nil end
  local owner = lfs.attributes(project, "uid")
  if owner and owner ~= 0 then
    local user = sys.user(owner)
    if user then return user end
  end
  local account = sys.user("postgres") or sys.user("nobody")
  if account then return account end
  fault.raise("config", "PostgreSQL cannot run as root, and there is no user to run it as", {
    hint = "Create a user named postgres, or run the command as another user than root.",
  })
end

local function key(project, account)
  return ("moontide-%d-%s"):format(account and account.uid or sys.uid(), digest.sha256(project):sub(1, 12))
end

-- libpq reads a comma as the beginning of another host.
local function socket_folder(folder, project, account)
  if #folder + #socket_name <= socket_limit and not folder:find(",", 1, true) then return folder end
  return "/tmp/" .. key(project, account)
end

local function is_folder(path) return lfs.attributes(path, "mode") == "directory" end

local function own_folder(project) return project .. "/.moontide/dev" end

local function remembered(project)
  local text = sys.read(project .. "/.moontide/dev.location")
  return text and text:match("^[^\n]+") or nil
end

local function path_elsewhere(project, account) return "/var/tmp/" .. key(project, account) end

-- Where the project cannot be written nothing could be remembered.
local function found_elsewhere(project, account)
  local path = path_elsewhere(project, account)
  local found = lfs.symlinkattributes(path)
  local owner = account and account.uid or sys.uid()
  return found and found.mode == "directory" and found.uid == owner and path or nil
end

local function find(project, account)
  local own = own_folder(project)
  return remembered(project) or is_folder(own) and own or found_elsewhere(project, account) or own
end

--- Where the server of a project is, or would be.
---@param project string  absolute path
---@return moontide.Place
function place.of(project)
  local account = account_for(project)
  local folder = find(project, account)
  return {
    project = project, account = account, folder = folder,
    socket = socket_folder(folder, project, account), exists = is_folder(folder),
  }
end

local function give(path, account)
  if account then sys.chown(path, account.uid, account.gid) end
end

-- A folder that only the account can enter. One that somebody else made there is refused.
local function make_private(path, account)
  local made = lfs.mkdir(path)
  if made then
    sys.chmod(path, 448) -- 0700
    give(path, account)
  end
  local owner = lfs.symlinkattributes(path)
  local wanted = account and account.uid or sys.uid()
  if owner and owner.mode == "directory" and owner.uid == wanted then return true end
  return false, made == nil and owner == nil and "cannot be created" or "belongs to somebody else"
end

local function can_use(path, account)
  if not account then return true end
  local ran = sys.run({ "test", "-w", path .. "/." }, { uid = account.uid, gid = account.gid })
  return ran ~= nil and ran.status == 0
end

-- What is in .moontide is nobody's source code.
local function make_hidden(project, account)
  local path = project .. "/.moontide"
  if not is_folder(path) and not lfs.mkdir(path) then return false end
  local owner = lfs.attributes(project, "uid")
  if account and owner == account.uid then give(path, account) end
  if not lfs.attributes(path .. "/.gitignore") then pcall(sys.write, path .. "/.gitignore", "*\n") end
  return true
end

local function make_elsewhere(self)
  local path = path_elsewhere(self.project, self.account)
  local ok, reason = make_private(path, self.account)
  if not ok then
    fault.raise("file", ('the folder "%s" for the development server %s'):format(path, reason))
  end
  pcall(sys.write, self.project .. "/.moontide/dev.location", path .. "\n")
  return path
end

local function make_folder(self)
  local own = own_folder(self.project)
  if make_hidden(self.project, self.account) then
    local ok = make_private(own, self.account)
    if ok and can_use(own, self.account) then return own end
    lfs.rmdir(own)
  end
  return make_elsewhere(self)
end

local function make_socket(self)
  if self.socket == self.folder then return end
  local ok, reason = make_private(self.socket, self.account)
  if ok then return end
  fault.raise("file", ('the folder "%s" for the socket of the development server %s'):format(self.socket, reason))
end

--- Make the folders that the server needs; they may exist already.
---@param self moontide.Place
function place.make(self)
  if not self.exists then
    self.folder = make_folder(self)
    self.socket = socket_folder(self.folder, self.project, self.account)
    self.exists = true
  end
  make_socket(self)
end

return place
