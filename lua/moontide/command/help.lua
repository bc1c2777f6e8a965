--- `moontide help`: the help of the program or of a command, and the manual page.

local fault = require "moontide.fault"
local report = require "moontide.report"

local help = { name = "help", summary = "show the help of a command, or the manual page" }

help.description = "Shows what --help shows. With --man the manual page is printed, for man: "
  .. "`moontide help --man | man -l -`."

function help.options(command)
  command:argument("command", "the command; the whole program when left out"):args("?"):argname("COMMAND")
  command:flag("--man", "print the manual page of the whole program")
end

local function text_of(args)
  local commandline = require "moontide.commandline"
  if not args.man then return commandline.parse(args.command and { args.command, "--help" } or { "--help" }).text end
  if args.command then
    fault.raise("usage", "the manual page is about the whole program", { hint = "Leave the command out." })
  end
  return require("moontide.manual").page(commandline.declared(), require "moontide.version"):gsub("\n$", "")
end

function help.run(app, args)
  if not args.man then require("moontide.commandline").learn(app.args) end
  local text = text_of(args)
  if report.is_json() then return report.json { text = text } end
  report.out(text)
end

return help
