--- `moontide init`: write a new migration environment. What is there already is kept.

local lfs = require "lfs"
local resource = require "moontide.runtime.resource"
local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"
local report = require "moontide.report"

local init = { name = "init", summary = "write a new migration environment" }

init.description = "Writes DIR/env.lua, which shows every setting, DIR/versions for the revision files, and what the "
  .. "Lua language server needs to complete and check them: DIR/.luals and DIR/.luarc.json. Files that exist are never "
  .. "overwritten; --editor writes those in DIR/.luals anew, for after an update of the program."

function init.options(command)
  command:argument("directory", "where to write it"):argname("DIR"):default("migrations")
  command:flag("--editor", "only write DIR/.luals anew")
  command:option("-t --template", "what to write: generic"):argname("NAME"):default("generic"):choices { "generic" }
  command:flag("--list-templates", "list the templates, and write nothing")
end

-- Files of a template, and what they are called in the environment. Git keeps no
-- empty folder, and a fresh clone must have the one for revisions.
local templates = {
  { name = "generic", summary = "one database, every setting shown with its default",
    files = {
  { "env.lua", "env.lua" }, { "gitkeep", "versions/.gitkeep" }, { "luarc.json", ".luarc.json" },
} },
}

local function files_of(name)
  for _, entry in ipairs(templates) do
    if entry.name == name then return entry.files end
  end
end

local function list_templates()
  local list = require("moontide.json").array {}
  for index, entry in ipairs(templates) do list[index] = { name = entry.name, summary = entry.summary } end
  if report.is_json() then return report.json { templates = list } end
  report.out("Available templates:\n")
  for _, entry in ipairs(templates) do report.out(("%s - %s"):format(entry.name, entry.summary)) end
  report.out("\nTemplates are used via the 'init' command, e.g.:\n\n  moontide init --template generic migrations")
end

local function is_empty(directory)
  for name in lfs.dir(directory) do
    if name ~= "." and name ~= ".." then return false end
  end
  return true
end

-- A folder that holds other things is somebody's; one with an env.lua is an
-- environment to be completed.
local function check_directory(directory)
  local mode = lfs.attributes(directory, "mode")
  if not mode then return end
  if mode ~= "directory" then fault.raise("file", ('"%s" exists and is not a folder'):format(directory)) end
  if lfs.attributes(directory .. "/env.lua", "mode") or is_empty(directory) then return end
  fault.raise("file", ('directory "%s" already exists and is not empty'):format(directory), {
    hint = "Choose another folder; nothing was written.",
  })
end

local function make_folder(path, done)
  if path == "" or lfs.attributes(path, "mode") == "directory" then return end
  make_folder(path:match("^(.*)/[^/]*$") or "", done)
  local made, problem = lfs.mkdir(path)
  if not made then fault.raise("file", ('could not make folder "%s": %s'):format(path, problem)) end
  done.created[#done.created + 1] = path
  if not report.is_json() then report.out(("Creating directory %s ...  done"):format(path)) end
end

local function write_file(path, text, done)
  local exists = lfs.symlinkattributes(path, "mode")
  local list = exists and done.kept or done.created
  list[#list + 1] = path
  if not exists then sys.write(path, text) end
  if report.is_json() then return end
  report.out(exists and ("File %s already exists, skipping"):format(path) or ("Generating %s ...  done"):format(path))
end

local function add(list, more)
  table.move(more, 1, #more, #list + 1, list)
end

-- The descriptions for editors are one thing to the user, whatever the files.
local function write_editor(directory, done, anew)
  local written, kept = require("moontide.editor").write(directory, anew)
  add(done.created, written)
  add(done.kept, kept)
  if #written > 0 and not report.is_json() then report.out(("Generating %s/.luals ...  done"):format(directory)) end
end

-- After an update of the program, in an environment that is there.
local function renew_editor(directory, done)
  if not lfs.attributes(directory .. "/env.lua", "mode") then
    fault.raise("file", ('no env.lua in "%s"'):format(directory), {
      hint = "Name the folder of the environment, or leave --editor out to write a new one.",
    })
  end
  write_editor(directory, done, true)
  if report.is_json() then report.json(done) end
end

local function say_next(directory)
  local option = directory == "migrations" and "" or (" -c %s/env.lua"):format(directory)
  report.info(("\nNext: set $DATABASE_URL or the url in %s/env.lua, then\n"):format(directory))
  report.info(('  moontide%s revision -m "create users"   # write the first revision'):format(option))
  report.info(("  moontide%s upgrade                      # apply it"):format(option))
end

function init.run(_, args)
  if args.list_templates then return list_templates() end
  local directory = #args.directory > 1 and args.directory:gsub("/+$", "") or args.directory
  local array = require("moontide.json").array
  local done = { directory = directory, created = array {}, kept = array {} }
  if args.editor then return renew_editor(directory, done) end
  check_directory(directory)
  make_folder(directory, done)
  make_folder(directory .. "/versions", done)
  for _, file in ipairs(files_of(args.template)) do
    write_file(directory .. "/" .. file[2], resource(("template/%s/%s"):format(args.template, file[1])), done)
  end
  write_editor(directory, done, false)
  if report.is_json() then return report.json(done) end
  if #done.created > 0 then say_next(directory) end
end

return init
