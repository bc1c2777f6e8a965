--- Comments that say of a call that a hazard is meant: on its line, or on the comment
--- lines directly above it; of all calls of a file, in the comment at its head.
---
---     -- lint: allow drop-column because nothing reads it since 1.4
---     op.drop_column("users", "nickname")

local lint = require "moontide.lint"
local place = require "moontide.lint.place"
local sys = require "moontide.runtime.sys"

local allow = {}

local Allow = {}
Allow.__index = Allow

--- A reader of such comments, for one run.
function allow.new() return setmetatable({ files = {} }, Allow) end

local function lines_of(self, path)
  if not self.files[path] then
    local lines = {}
    for line in ((sys.read(path) or "") .. "\n"):gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
    self.files[path] = lines
  end
  return self.files[path]
end

-- The names between `allow` and the reason.
local function add_names(set, comment, where)
  local words = comment:match("%-%-%s*lint:%s*allow%s+(.*)$")
  if not words then return end
  words = words:gsub("%f[%w]because%f[%W].*$", "")
  for name in words:gmatch("[^%s,]+") do
    lint.check_name(name, "revision", where)
    set[name] = true
  end
end

-- In a .sql file the comments above the first statement come behind the name of the section.
local function is_head(line)
  if line:find("^%-%-%s*[Uu][Pp][Gg][Rr][Aa][Dd][Ee]:?%s*$") then return false end
  return line:find("^%s*%-%-") or not line:find("%S")
end

local function add_head(set, lines, path)
  for number, line in ipairs(lines) do
    if not is_head(line) then return end
    add_names(set, line, ("%s:%d"):format(path, number))
  end
end

--- The rules that are allowed at a place.
---@param where? string  "path:line"
---@return table<string, true>
function Allow:at(where)
  local path, at = place.of(where)
  local set = {}
  if not path then return set end
  local lines = lines_of(self, path)
  add_head(set, lines, path)
  add_names(set, lines[at] or "", where)
  while at > 1 and lines[at - 1] and lines[at - 1]:find("^%s*%-%-") do
    at = at - 1
    add_names(set, lines[at], ("%s:%d"):format(path, at))
  end
  return set
end

return allow
