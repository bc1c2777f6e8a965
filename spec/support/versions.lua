--- PostgreSQL of every supported major version: the machine's own, and those that
--- spec/support/install-postgres.sh has installed.

local lfs = require "lfs"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local versions = {}

local majors = { 13, 14, 15, 16, 17, 18 }

local function runs(bin)
  return lfs.attributes(bin .. "/postgres", "mode") == "file"
end

local function major_of(bin)
  return tonumber(shell.capture(shell.quote(bin .. "/postgres") .. " --version"):match("(%d+)"))
end

-- Where the binaries of each version are; false for the machine's own.
local function find()
  local own = major_of(server.bin())
  local root = shell.capture("sh spec/support/install-postgres.sh where")
  local found = {}
  for _, major in ipairs(majors) do
    for _, bin in ipairs { root .. "/" .. major .. "/bin", "/usr/lib/postgresql/" .. major .. "/bin" } do
      if runs(bin) then found[major] = bin end
    end
  end
  found[own] = false
  return found
end

local function report_missing(found)
  local missing = {}
  for _, major in ipairs(majors) do
    if found[major] == nil then missing[#missing + 1] = major end
  end
  if #missing == 0 then return end
  io.stderr:write(("skipped: specs on PostgreSQL %s (sh spec/support/install-postgres.sh installs them)\n")
    :format(table.concat(missing, ", ")))
end

local available

--- Where the binaries of each version that is here are; false for the machine's own.
---@return table<integer, string|false>
function versions.available()
  if not available then
    available = find()
    report_missing(available)
  end
  return available
end

local clusters = {}

--- The server of a version, started when it is first asked for.
---@param major integer
---@return spec.Cluster
function versions.cluster(major)
  local bin = versions.available()[major]
  clusters[major] = clusters[major] or (bin and server.cluster { bin = bin } or server.shared())
  return clusters[major]
end

--- A block of specs for each version: `fn` gets the major version and a function that makes a fresh
--- empty database on its server (call it in `setup`) and returns the URL.
---@param fn fun(major: integer, database: fun(): string)
---@param is_due? fun(major: integer): boolean
function versions.each(fn, is_due)
  local describe = require("busted").describe
  for _, major in ipairs(majors) do
    if versions.available()[major] ~= nil and (not is_due or is_due(major)) then
      describe("on PostgreSQL " .. major, function()
        fn(major, function() return versions.cluster(major):database() end)
      end)
    end
  end
end

--- For specs that take long: whether a version is the machine's own or the newest, or that of MOONTIDE_MAJOR.
---@param major integer
---@return boolean
function versions.is_usual(major)
  local only = tonumber(os.getenv "MOONTIDE_MAJOR")
  if only then return major == only end
  return major == majors[#majors] or versions.available()[major] == false
end

return versions
