-- Documents whose examples are run: "lua title=path" and "sql title=path" blocks are written as files, the commands of
-- console blocks are typed in the folder, and what they print is put below them. MOONTIDE_GOLDEN=1 writes the real
-- output into the document.

local lfs = require "lfs"
local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local document = {}

local function run(command, folder, url)
  local ran = cli.run({ "-c", "{ " .. command .. "; } 2>&1" }, {
    program = { "sh" }, cwd = folder, env = { DATABASE_URL = url, PATH = folder .. "/bin:" .. os.getenv("PATH") },
  })
  return ran.stdout
end

-- A console block with what its commands print now.
local function typed(body, folder, url)
  local lines = {}
  for line in (body .. "\n"):gmatch("([^\n]*)\n") do
    if line:sub(1, 2) == "$ " then
      lines[#lines + 1] = line .. "\n" .. run(line:sub(3), folder, url)
    end
  end
  return (table.concat(lines):gsub("\n+$", ""))
end

local function now(text, folder, url)
  return (text:gsub("```([^\n]*)\n(.-)\n```\n", function(info, body)
    local title = info:match("^%l+ title=(.+)$")
    if title then shell.write(folder .. "/" .. title, body .. "\n") end
    if info == "lua" then assert(load(body, "=example", "t")) end
    if info ~= "console" then return nil end
    return ("```console\n%s\n```\n"):format(typed(body, folder, url))
  end))
end

--- Run the examples of a document, with an empty database and an empty folder.
---@param name string  "docs/plugins.md"
---@param options? { files: string?, programs: table<string, string>? }  a folder to begin with a copy of; paths of
---  programs by the names that the document calls them
---@return string written, string real
function document.run(name, options)
  options = options or {}
  local path = lfs.currentdir() .. "/" .. name
  local url, folder = server.database(), tmp.folder("d")
  assert(lfs.mkdir(folder .. "/bin"))
  assert(lfs.link(cli.binary(), folder .. "/bin/moontide", true))
  for program, place in pairs(options.programs or {}) do assert(lfs.link(place, folder .. "/bin/" .. program, true)) end
  if options.files then shell.capture(("cp -R %s/. %s"):format(shell.quote(options.files), shell.quote(folder))) end
  local text = shell.read(path)
  local real = now(text, folder, url)
  server.drop(url)
  if os.getenv("MOONTIDE_GOLDEN") == "1" then shell.write(path, real) return real, real end
  return text, real
end

return document
