--- Who comes from Alembic finds every command and every flag again; those that are about Python
--- (--package, --raiseerr) have no meaning here.

local command = require "moontide.command"
local commandline = require "moontide.commandline"

-- Command, its flags, and how often it may be given an argument.
local known = {
  { "init", "-t --template", "?" },
  { "revision", "-m --message --sql --head --splice --branch-label --version-path --rev-id --depends-on", "" },
  { "merge", "-m --message --branch-label --rev-id --splice", "+" },
  { "upgrade", "--sql --tag", "?" },
  { "downgrade", "--sql --tag", "?" },
  { "stamp", "--sql --tag --purge", "+" },
  { "ensure-version", "--sql", "" },
  { "current", "-v --verbose -c --check-heads", "" },
  { "heads", "-v --verbose --resolve-dependencies", "" },
  { "branches", "-v --verbose", "" },
  { "history", "-r --rev-range -v --verbose -i --indicate-current", "" },
  { "show", "", "1" },
  { "edit", "", "1" },
}

local function options_of(parser)
  local names = {}
  for _, option in ipairs(parser._options) do
    for _, name in ipairs(option._public_aliases) do names[name] = true end
  end
  return names
end

local function count_of(parser)
  local argument = parser._arguments[1]
  if not argument then return "" end
  if argument._minargs == 0 or argument._default then return "?" end
  return argument._maxargs == 1 and "1" or "+"
end

describe("Alembic's", function()
  for _, case in ipairs(known) do
    it(case[1] .. " is here with its flags", function()
      local parser = commandline.parser(assert(command.find(case[1])))
      local names = options_of(parser)
      for name in case[2]:gmatch("%S+") do assert.truthy(names[name], case[1] .. " " .. name) end
      assert.equal(case[3], count_of(parser))
    end)
  end

  it("global options are here", function()
    local names = options_of(commandline.parser(command.find "heads"))
    for _, name in ipairs { "-c", "--config", "-n", "--name", "-x", "-q", "--quiet", "--version" } do
      assert.truthy(names[name], name)
    end
  end)

  it("list_templates is `init --list-templates`", function()
    assert.truthy(options_of(commandline.parser(command.find "init"))["--list-templates"])
  end)
end)
