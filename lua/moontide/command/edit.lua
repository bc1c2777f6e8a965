--- `moontide edit`: open revision files in the editor.

local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"
local report = require "moontide.report"
local revspec = require "moontide.revspec"

local edit = { name = "edit", summary = "open revision files in the editor" }

edit.description = "Opens the files of the revisions that REV names in $VISUAL or $EDITOR, or in the first of "
  .. "sensible-editor, editor, nano, vim and vi that is installed. The editor is started without a shell."

function edit.options(command)
  command:argument("revision", "an identifier, head, heads, current ..."):argname("REV")
end

-- The words of an editor setting; a part in quotes is one word.
local function split_words(text)
  local words, rest = {}, text:gsub("^%s+", "")
  while rest ~= "" do
    local word, tail = rest:match("^\"([^\"]*)\"%s*(.*)$")
    if not word then word, tail = rest:match("^'([^']*)'%s*(.*)$") end
    if not word then word, tail = rest:match("^(%S+)%s*(.*)$") end
    words[#words + 1], rest = word, tail
  end
  return words
end

local function is_program(name)
  for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do
    if sys.realpath(folder .. "/" .. name) then return true end
  end
  return false
end

local function editor()
  for _, name in ipairs { "VISUAL", "EDITOR" } do
    local words = split_words(os.getenv(name) or "")
    if words[1] then return words end
  end
  for _, name in ipairs { "sensible-editor", "editor", "nano", "vim", "vi" } do
    if is_program(name) then return { name } end
  end
  fault.raise("config", "no editor found", { hint = "Set $VISUAL or $EDITOR." })
end

local function refuse_none(text)
  if text == "current" then
    fault.raise("revision", "no current revisions", { hint = "Nothing is applied to this database; name a revision." })
  end
  fault.raise("revision", ('no revision files indicated by symbol "%s"'):format(text), {
    hint = "It stands for no revision; `moontide history` lists those there are.",
  })
end

local function run_editor(argv)
  local result, problem = sys.run(argv, { capture = false, foreground = true })
  if result and result.status == 0 then return end
  local how = result and (result.signal and "signal " .. result.signal or "exit code " .. result.status) or problem
  fault.raise("file", ("could not edit: %s ended with %s"):format(argv[1], how))
end

function edit.run(app, args)
  local rows = args.revision:find("current", 1, true) and app:applied() or nil
  local revisions = revspec.revisions(app:graph(), args.revision, rows)
  if #revisions == 0 then refuse_none(args.revision) end
  local argv, paths = editor(), {}
  for index, rev in ipairs(revisions) do
    paths[index] = rev.path
    argv[#argv + 1] = rev.path
  end
  run_editor(argv)
  if report.is_json() then report.json { edited = require("moontide.json").array(paths) } end
end

return edit
