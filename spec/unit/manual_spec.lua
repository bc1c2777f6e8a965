local command = require "moontide.command"
local commandline = require "moontide.commandline"
local manual = require "moontide.manual"

local function unescaped(text)
  return (text:gsub("\\f[BIR]", ""):gsub("\\([-e])", { ["-"] = "-", e = "\\" }):gsub("\\&", ""))
end

-- The part of the page about a command, as text.
local function part_of(page, name)
  local from = assert(page:find('\n.SS "moontide ' .. name:gsub("-", "\\-") .. '"\n', 1, true), name)
  local behind = page:find("\n.S[SH] ", from + 1)
  return unescaped(page:sub(from, behind))
end

describe("the manual page", function()
  local declared = commandline.declared()
  local page = manual.page(declared, "1.2.3")

  it("has every command with its arguments", function()
    for _, entry in ipairs(command.list) do
      local part = part_of(page, entry.name)
      local parser = commandline.parser(entry)
      local module = command.load(entry)
      assert.truthy(part:find((module.description or entry.summary):match("[^`\n]+"):sub(2, 30), 1, true), entry.name)
      for _, argument in ipairs(parser._arguments) do
        assert.truthy(part:find(argument:_get_argname(1), 1, true), entry.name)
      end
    end
  end)

  it("has every option of a command in the part about it", function()
    for _, entry in ipairs(command.list) do
      local parser, _, taken = commandline.parser(entry)
      for _, option in ipairs(parser._options) do
        local names = table.concat(option._public_aliases, ", ")
        -- A global option may lack a name that the command has for itself.
        local part = taken[option._public_aliases[1]] and part_of(page, entry.name) or unescaped(page)
        assert.truthy(part:find("[\n ]" .. names:gsub("%-", "%%-") .. "[ \n]"), entry.name .. " " .. names)
      end
    end
  end)

  it("has every global option", function()
    local part = unescaped(page:match('\n.SH "GLOBAL OPTIONS"\n(.-)\n.SH '))
    for _, name in ipairs { "-c, --config FILE", "--url URL", "-n, --name TARGET", "-x KEY=VALUE", "-y, --yes",
      "-q, --quiet", "-v, --verbose", "--json", "--color WHEN", "--traceback", "-V, --version", "-h, --help" } do
      assert.truthy(part:find("\n" .. name .. "\n", 1, true) or part:find(name .. "\n", 1, true), name)
    end
  end)

  it("is roff without mistakes", function()
    local pipe = io.popen "command -v groff"
    local groff = pipe and pipe:read "l"
    if pipe then pipe:close() end
    if not groff then return pending "no groff here" end
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write(page)
    file:close()
    local checked <close> = assert(io.popen(("groff -man -Tutf8 -ww -z %s 2>&1"):format(name)))
    assert.equal("", checked:read "a")
    os.remove(name)
  end)

  it("keeps what would be a request, and plain minus signs", function()
    local text = manual.page({ summary = "x", description = ".so it begins with a dot \\ here", globals = {},
      commands = {} }, "1")
    assert.truthy(text:find("\n\\&.so it begins with a dot \\e here\n", 1, true))
    assert.truthy(page:find("\\fB\\-\\-rev\\-id\\fR \\fIID\\fR", 1, true))
  end)
end)
