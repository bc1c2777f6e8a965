--- Environments of many revisions, written as `moontide revision` writes them.

local lfs = require "lfs"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local project = {}

-- Identifiers as random as real ones, and the same in every run.
local function id_of(number) return ("%012x"):format((number * 0x9e3779b97f4a) & 0xffffffffffff) end

local head = [[
--- create table %d
-- Revision ID: %s
-- Revises: %s
-- Create Date: 2026-01-15 10:00:00+00:00
revision = "%s"
down_revision = %s
branch_labels = nil
depends_on = nil
]]

local body = [[

function upgrade()
  op.create_table("t%d", {
    { "id", "bigint", identity = "always", primary_key = true },
    { "name", "text", nullable = false },
    { "email", "varchar(255)" },
    { "amount", "numeric(12, 2)", nullable = false, default = 0 },
    { "active", "boolean", nullable = false, default = true },
    { "created_at", "timestamptz", nullable = false, default = sql "now()" },
  })
  op.create_index("ux_t%d_email", "t%d", { "email" }, { unique = true })
end

function downgrade()
  op.drop_index("ux_t%d_email", { table = "t%d" })
  op.drop_table("t%d")
end
]]

--- The text of the revision of a number; it stands on the one before.
---@param number integer
---@return string
local function text_of(number)
  local id, down = id_of(number), number > 1 and id_of(number - 1)
  return head:format(number, id, down or "", id, down and ('"%s"'):format(down) or "nil")
    .. body:format(number, number, number, number, number, number)
end

local made = {}

--- A folder with env.lua and `count` revisions in a line.
---@param count integer
---@return string path
function project.of(count)
  if made[count] then return made[count] end
  local path = tmp.folder("bench")
  lfs.mkdir(path .. "/versions")
  shell.write(path .. "/env.lua", "return {}\n")
  for number = 1, count do
    shell.write(("%s/versions/%s_create_table_%d.lua"):format(path, id_of(number), number), text_of(number))
  end
  made[count] = path
  return path
end

--- The paths of its revisions, one a line, in a file.
---@param path string
---@return string list
function project.list_of(path)
  local names = {}
  for name in lfs.dir(path .. "/versions") do
    if name:sub(-4) == ".lua" then names[#names + 1] = path .. "/versions/" .. name .. "\n" end
  end
  table.sort(names)
  shell.write(path .. "/list", table.concat(names))
  return path .. "/list"
end

return project
