--- What the Lua language server needs to know the files of an environment: the
--- descriptions of `op`, of revision files, of models and of plugins, and its settings.

local lfs = require "lfs"
local resource = require "moontide.runtime.resource"
local sys = require "moontide.runtime.sys"

local editor = {}

--- The descriptions, which are files of lua/moontide/meta.
editor.files = { "op", "context", "model", "plugin" }

--- The folder of an environment that they are in.
editor.folder = ".luals"

--- Write the descriptions, over those of an earlier version.
---@param directory string   the environment
---@param anew boolean       replace files that are there
---@return string[] written  paths
---@return string[] kept
function editor.write(directory, anew)
  local folder, written, kept = directory .. "/" .. editor.folder, {}, {}
  lfs.mkdir(folder)
  for _, name in ipairs(editor.files) do
    local path = ("%s/%s.lua"):format(folder, name)
    local list = (anew or not lfs.symlinkattributes(path, "mode")) and written or kept
    list[#list + 1] = path
    if list == written then sys.write(path, resource(("meta/%s.lua"):format(name))) end
  end
  return written, kept
end

return editor
