--- The commands, in the order in which the help lists them. The file of a command
--- is loaded only when it runs or when its help is asked, so name and summary
--- stand here as well; a spec keeps the two in step.

local command = {}

local fault = require "moontide.fault"

---@class moontide.Command
---@field name string
---@field summary string
---@field description? string
---@field rest? boolean|fun(words: string[]): boolean  what follows the first argument is taken as it is
---@field options? fun(parser: table)                       declares arguments on an argparse parser
---@field run fun(app: table, args: table): integer?        returns the exit code, nil for 0

command.list = {
  { name = "init", summary = "write a new migration environment", module = "init_environment" },
  { name = "revision", summary = "write a new revision file" },
  { name = "upgrade", summary = "apply revisions up to a target" },
  { name = "downgrade", summary = "revert revisions down to a target" },
  { name = "current", summary = "show the applied revisions" },
  { name = "status", summary = "show what is applied, what is pending and who holds the lock" },
  { name = "history", summary = "list the revisions, newest first" },
  { name = "heads", summary = "list the revisions that nothing follows" },
  { name = "branches", summary = "list the revisions from which branches start" },
  { name = "show", summary = "show revisions in full" },
  { name = "graph", summary = "draw the revision graph as SVG, DOT or Mermaid" },
  { name = "lint", summary = "find hazards in revisions, with the safe way to do it" },
  { name = "log", summary = "show who applied what, when, and how it ended" },
  { name = "stamp", summary = "set the applied revisions without running anything" },
  { name = "merge", summary = "write a revision that joins several heads" },
  { name = "rebase", summary = "put heads into one line by rewriting unapplied files" },
  { name = "edit", summary = "open revision files in the editor" },
  { name = "repair", summary = "find what is wrong with the bookkeeping, and put it right" },
  { name = "backfill", summary = "show and steer the backfills of large tables, or work on one" },
  { name = "ensure-version", summary = "create the bookkeeping tables" },
  { name = "check", summary = "compare the database with the models" },
  { name = "diff", summary = "show what differs between two databases, models or revisions" },
  { name = "reflect", summary = "print the database as a model file" },
  { name = "dev", summary = "run a private throwaway PostgreSQL for the project" },
  { name = "doctor", summary = "check the installation, the connection and the environment" },
  { name = "lua", summary = "run a Lua script with op and the connection" },
  { name = "repl", summary = "open a Lua prompt with op and the connection" },
  { name = "help", summary = "show the help of a command, or the manual page" },
  { name = "completion", summary = "print a completion script for a shell" },
}

--- The entry of a command in the list.
---@param name string
---@return table?
function command.find(name)
  for _, entry in ipairs(command.list) do
    if entry.name == name then return entry end
  end
  return nil
end

--- The names of all commands, in order.
---@return string[]
function command.names()
  local names = {}
  for index, entry in ipairs(command.list) do names[index] = entry.name end
  return names
end

--- Add the command of a plugin.
---@param module moontide.Command
---@param from string  who registers it
function command.register(module, from)
  local earlier = command.find(module.name)
  if earlier then
    fault.raise("config", ('command "%s" is already registered by %s')
      :format(module.name, earlier.from or "moontide itself"), { detail = "registered by " .. from })
  end
  command.list[#command.list + 1] = { name = module.name, summary = module.summary, loaded = module, from = from }
end

--- Load the file of a command.
---@param entry table  an entry of `command.list`
---@return moontide.Command
function command.load(entry)
  if entry.loaded then return entry.loaded end
  local file = entry.module or entry.name:gsub("-", "_")
  return require("moontide.command." .. file)
end

return command
