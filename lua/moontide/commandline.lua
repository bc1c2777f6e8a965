--- The command line: which command, its arguments, and the global options, which
--- may stand before the command or after it. Only the file of the command that is
--- named gets loaded.

local argparse = require "argparse"
local command = require "moontide.command"
local fault = require "moontide.fault"

local commandline = {}

local globals = {
  { "-c --config", "config", argname = "FILE", description = "the env.lua to use" },
  { "--url", "url", argname = "URL", description = "the database, instead of the one env.lua names" },
  { "-n --name", "name", argname = "TARGET", count = "*",
    description = "a target of env.lua, repeatable; * and ? match" },
  { "-x", "x", argname = "KEY=VALUE", count = "*", description = "a value for context.x, repeatable" },
  { "-y --yes", "yes", description = "answer yes to every question" },
  { "-q --quiet", "quiet", description = "no progress on stderr" },
  { "-v --verbose", "verbose", description = "more detail: every SQL statement with its time" },
  { "--json", "json", description = "results as JSON" },
  { "--color", "color", argname = "WHEN", choices = { "auto", "always", "never" },
    description = "colours: auto, always or never" },
  { "--traceback", "traceback", description = "the Lua traceback with an error" },
  { "-V --version", "version", description = "print the version" },
  { "-h --help", "help", description = "print this help" },
}

local is_global, global_values = {}, {}
for _, entry in ipairs(globals) do
  is_global[entry[2]] = true
  if entry.argname then
    for name in entry[1]:gmatch("%S+") do global_values[name] = true end
  end
end

-- What a parser knows already: its option names and the keys of its results.
local function taken_by(parser)
  local taken = {}
  for _, option in ipairs(parser._options) do
    for _, alias in ipairs(option._aliases) do taken[alias] = true end
    taken[option._target or option:_get_default_target()] = true
  end
  for _, argument in ipairs(parser._arguments) do taken[argument._target or argument._name] = true end
  return taken
end

local function free_names(names, taken)
  local free = {}
  for name in names:gmatch("%S+") do
    if not taken[name] then free[#free + 1] = name end
  end
  return #free > 0 and table.concat(free, " ") or nil
end

local function add_global(parser, entry, names)
  local option = entry.argname and parser:option(names) or parser:flag(names)
  option:description(entry.description):target(entry[2])
  if entry.argname then option:argname(entry.argname) end
  if entry.choices then option:choices(entry.choices) end
  if entry.count then option:count(entry.count) end
  return option
end

-- The options of a command stand apart from the global ones in its help.
local function group_own(parser)
  if #parser._options > 0 then parser:group("Options", table.unpack(parser._options)) end
end

-- A command's own option wins over a global one of the same name (`current -c`);
-- the global one is still understood before the command.
local function add_globals(parser)
  local taken, added = taken_by(parser), {}
  for _, entry in ipairs(globals) do
    local names = not taken[entry[2]] and free_names(entry[1], taken)
    if names then added[#added + 1] = add_global(parser, entry, names) end
  end
  parser:group("Global options", table.unpack(added))
  return parser
end

-- Option names after which the next word is a value.
local function valued_options(parser)
  local valued = {}
  for _, option in ipairs(parser._options) do
    if option._maxargs > 0 then
      for _, alias in ipairs(option._aliases) do valued[alias] = true end
    end
  end
  return valued
end

-- Whether a word asks for the next one as its value: `--url`, `-c`, or `-qc`.
local function wants_value(word, valued)
  if word:find("^%-%-") or #word == 2 then return valued[word] or false end
  for position = 2, #word do
    if valued["-" .. word:sub(position, position)] then return position == #word end
  end
  return false
end

local function is_option(word) return word:find("^%-[^%d]") ~= nil end

-- The index of the first word that is neither an option nor the value of one.
local function first_plain(argv, valued)
  local index = 1
  while argv[index] and is_option(argv[index]) and argv[index] ~= "--" do
    index = index + (wants_value(argv[index], valued) and 2 or 1)
  end
  return argv[index] and index or nil
end

-- A word such as `-1` or `-3:current` is a revision, never an option. The mark
-- keeps it from being read as one and is taken off again in the result.
local MARK = "\0"

local function mark(words)
  local marked = {}
  for index, word in ipairs(words) do
    marked[index] = word:find("^%-%d") and MARK .. word or word
  end
  return marked
end

local function unmark(value)
  if type(value) == "string" then return (value:gsub("^" .. MARK, "")) end
  if type(value) ~= "table" then return value end
  for key, item in pairs(value) do value[key] = unmark(item) end
  return value
end

-- Every letter is near to every other one.
local function usage_fault(message, name, choices, detail)
  local wrong = message:match("^unknown %a+ '(.-)'")
  local nearest = wrong and not wrong:find("^%-?.$") and require("moontide.suggest").nearest(wrong, choices)
  local help = name and ("moontide %s --help"):format(name) or "moontide --help"
  message = message:gsub("\n.*", ""):gsub(MARK, ""):gsub("'([^']*)'", '"%1"')
  local hint = nearest and ('Did you mean "%s"?'):format(nearest) or ("Run `%s` for the usage."):format(help)
  fault.raise("usage", message, { detail = detail, hint = hint })
end

local function option_names(parser)
  local names = {}
  for _, option in ipairs(parser._options) do
    for _, alias in ipairs(option._public_aliases) do names[#names + 1] = alias end
  end
  return names
end

local function parse_words(parser, words, name)
  local ok, result = parser:pparse(mark(words))
  if not ok then usage_fault(result, name, option_names(parser)) end
  return unmark(result)
end

local function new_parser(name, description)
  local parser = argparse(name, description):add_help(false)
  return parser:help_max_width(100):usage_max_width(100)
end

--- The parser of one command, global options included.
---@param entry table  an entry of the command list
---@return table parser, moontide.Command module, table taken  what the command itself declares
function commandline.parser(entry)
  local module = command.load(entry)
  local parser = new_parser("moontide " .. entry.name, module.description or module.summary .. ".")
  if module.options then module.options(parser) end
  local taken = taken_by(parser)
  return add_globals(parser), module, taken
end

local function command_help(entry)
  local module = command.load(entry)
  local parser = new_parser("moontide " .. entry.name, module.description or module.summary .. ".")
  if module.options then module.options(parser) end
  parser:usage(parser:get_usage() .. " [global options]")
  group_own(parser)
  return (add_globals(parser):get_help():gsub("%s+$", ""))
end

--- The parser of the whole program with every command in it: for completion scripts.
---@return table
function commandline.whole()
  local parser = new_parser("moontide"):add_help(false)
  for _, entry in ipairs(command.list) do
    local module = command.load(entry)
    local subparser = parser:command(entry.name, module.description):summary(entry.summary):add_help(false)
    if module.options then module.options(subparser) end
    add_globals(subparser)
  end
  return add_globals(parser)
end

---@class moontide.DeclaredOption
---@field names string[]
---@field argname? string       of an option that takes a value
---@field description string
---@field choices? string[]

---@class moontide.DeclaredCommand
---@field name string
---@field usage string
---@field description string
---@field arguments { name: string, description: string, choices: string[]? }[]
---@field options moontide.DeclaredOption[]

---@class moontide.Declared
---@field summary string
---@field description string
---@field globals moontide.DeclaredOption[]
---@field commands moontide.DeclaredCommand[]

local function declared_options(options)
  local list = {}
  for index, option in ipairs(options) do
    list[index] = {
      names = option._public_aliases, argname = option._maxargs > 0 and option:_get_argname(1) or nil,
      description = option._description, choices = option._choices,
    }
  end
  return list
end

local function declared_arguments(arguments)
  local list = {}
  for index, argument in ipairs(arguments) do
    list[index] = {
      name = argument:_get_argname(1), description = argument._description, choices = argument._choices,
    }
  end
  return list
end

local function declared_command(entry)
  local module = command.load(entry)
  local parser = new_parser("moontide " .. entry.name)
  if module.options then module.options(parser) end
  return {
    name = entry.name, usage = parser:get_usage():gsub("^Usage: ", ""):gsub("%s+", " "),
    description = module.description or entry.summary:gsub("^%l", string.upper) .. ".",
    arguments = declared_arguments(parser._arguments), options = declared_options(parser._options),
  }
end

local summary = "Runs Lua migrations on PostgreSQL."

--- All that the program understands, in words: for the manual.
---@return moontide.Declared
function commandline.declared()
  local commands = {}
  for index, entry in ipairs(command.list) do commands[index] = declared_command(entry) end
  return {
    summary = "run Lua migrations on PostgreSQL", description = summary .. " Global options may stand before the "
      .. "command or after it. A revision that starts with a minus, as in `downgrade -1`, is no option.",
    globals = declared_options(add_globals(new_parser("moontide"))._options), commands = commands,
  }
end

-- "key=value" words as a table; a key alone has the value "".
local function pairs_of(words, into)
  for _, word in ipairs(words or {}) do
    local key, value = word:match("^([^=]*)=(.*)$")
    into[key or word] = value or ""
  end
  return into
end

-- The words that say which env.lua is meant, and with which values, wherever they stand.
local function env_words(argv)
  local found, x = {}, {}
  for index, word in ipairs(argv) do
    local config = word:match("^%-%-config=(.+)$") or word:match("^%-c(.+)$")
      or (word == "-c" or word == "--config") and argv[index + 1]
    found.config = found.config or config or nil
    x[#x + 1] = word:match("^%-x(.+)$") or word == "-x" and argv[index + 1] or nil
  end
  found.x = pairs_of(x, {})
  return found
end

--- Make the commands of plugins known, which takes a look at env.lua. Without one there are none.
---@param args { config?: string, x?: table }
---@return moontide.Fault? problem  what is wrong with env.lua or a plugin
function commandline.learn(args)
  local config = require "moontide.config"
  if not pcall(config.find, args) then return nil end
  local ok, problem = pcall(config.load, { config = args.config, x = args.x })
  return not ok and fault.of(problem) or nil
end

local function program_help(argv)
  commandline.learn(env_words(argv))
  local parser = new_parser("moontide", summary)
  local commands = {}
  for index, entry in ipairs(command.list) do
    commands[index] = parser:command(entry.name):summary(entry.summary):add_help(false)
  end
  parser:usage("Usage: moontide [global options] COMMAND [options]"):group("Commands", table.unpack(commands))
  parser:epilog("Run `moontide COMMAND --help` for the usage of a command.")
  return (add_globals(parser):get_help():gsub("%s+$", ""))
end

local function has(words, short, long)
  for _, word in ipairs(words) do
    if word == "--" then return false end
    if word == short or word == long then return true end
  end
  return false
end

-- All words of a repeatable option; nil when it was not given.
local function collected(before, after)
  local list = table.move(before or {}, 1, #(before or {}), 1, {})
  table.move(after or {}, 1, #(after or {}), #list + 1, list)
  return #list > 0 and list or nil
end

-- What stands after the command wins over what stands before it; -x and -n collect.
local function merge_globals(before, after)
  local merged = { x = pairs_of(after.x, pairs_of(before.x, {})), name = collected(before.name, after.name) }
  for _, entry in ipairs(globals) do
    local key = entry[2]
    if not entry.count then merged[key] = after[key] == nil and before[key] or after[key] end
  end
  return merged
end

-- Global options and the command's own arguments, out of one result.
local function split_result(result, taken)
  local after, args = {}, {}
  for key, value in pairs(result) do
    local into = is_global[key] and not taken[key] and after or args
    into[key] = value
  end
  return after, args
end

-- A word that is no command of the program's own may be one of a plugin.
local function find_command(name, argv)
  local entry = command.find(name)
  if entry then return entry end
  local problem = commandline.learn(env_words(argv))
  entry = command.find(name)
  if entry then return entry end
  usage_fault(("unknown command '%s'"):format(name), nil, command.names(),
    problem and "commands of plugins are not known: " .. tostring(problem))
end

local function takes_rest(module, words)
  if type(module.rest) == "function" then return module.rest(words) end
  return module.rest
end

local function with_rest(words, parser)
  local index = first_plain(words, valued_options(parser))
  if index and words[index] ~= "--" then table.insert(words, index, "--") end
  return words
end

---@class moontide.Request
---@field text? string        what to print instead of running a command: help
---@field version? boolean    the version is asked
---@field module? moontide.Command
---@field globals? table      config, url, name, x, yes, quiet, verbose, json, color, traceback
---@field args? table         the command's own arguments

local function parse_command(entry, words, before)
  local parser, module, taken = commandline.parser(entry)
  if takes_rest(module, words) then words = with_rest(words, parser) end
  if has(words, "-h", "--help") then return { text = command_help(entry) } end
  if has(words, "-V", "--version") then return { version = true } end
  local after, args = split_result(parse_words(parser, words, entry.name), taken)
  return { module = module, globals = merge_globals(before, after), args = args }
end

--- Read the words of the command line. Wrong usage raises a fault of kind "usage".
---@param argv string[]
---@return moontide.Request
function commandline.parse(argv)
  local at = first_plain(argv, global_values)
  local leading = table.move(argv, 1, (at or #argv + 1) - 1, 1, {})
  if has(leading, "-h", "--help") then return { text = program_help(argv) } end
  if has(leading, "-V", "--version") then return { version = true } end
  local before = #leading > 0 and parse_words(add_globals(new_parser("moontide")), leading) or {}
  if not at then fault.raise("usage", "a command is required", { hint = "Run `moontide --help` for the list." }) end
  local entry = find_command(argv[at], argv)
  return parse_command(entry, table.move(argv, at + 1, #argv, 1, {}), before)
end

return commandline
