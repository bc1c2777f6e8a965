-- The tour of the README is true: its files are written, its commands run at a terminal, and what they print is what
-- it shows. MOONTIDE_GOLDEN=1 writes the real output into the README instead.

local lfs = require "lfs"
local cli = require "spec.support.cli"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local readme = lfs.currentdir() .. "/README.md"

-- The text as a list of { kind = "text"|"file"|"console", ... }, whose texts make the whole again.
local function blocks_of(text)
  local blocks, position = {}, 1
  for start, info, body, stop in text:gmatch("()```([^\n]*)\n(.-)\n```\n()") do
    local title = info:match("^lua title=(.+)$")
    if title or info == "console" then
      blocks[#blocks + 1] = { kind = "text", text = text:sub(position, start - 1) }
      blocks[#blocks + 1] = { kind = title and "file" or "console", title = title, info = info, body = body }
      position = stop
    end
  end
  blocks[#blocks + 1] = { kind = "text", text = text:sub(position) }
  return blocks
end

local function commands_of(body)
  local commands = {}
  for line in (body .. "\n"):gmatch("([^\n]*)\n") do
    if line:sub(1, 2) == "$ " then commands[#commands + 1] = line:sub(3) end
  end
  return commands
end

-- One shell session for all blocks; a line with a byte that no command prints ends each output.
local function session(blocks)
  local lines = {}
  for _, block in ipairs(blocks) do
    if block.kind == "file" then
      lines[#lines + 1] = ("cp %s %s"):format(shell.quote(block.source), shell.quote(block.title))
    elseif block.kind == "console" then
      for _, command in ipairs(commands_of(block.body)) do lines[#lines + 1] = command .. "\nprintf '\\001\\n'" end
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function prepare(folder, blocks)
  assert(lfs.mkdir(folder .. "/bin"))
  assert(lfs.link(cli.binary(), folder .. "/bin/moontide", true))
  assert(lfs.mkdir(folder .. "/shop"))
  for i, block in ipairs(blocks) do
    if block.kind == "file" then
      block.source = ("%s/file%d"):format(folder, i)
      shell.write(block.source, block.body .. "\n")
    end
  end
  shell.write(folder .. "/session", session(blocks))
end

-- What differs from run to run, as the README shows it.
local function settle(text, folder)
  local encoded = (folder .. "/shop"):gsub("/", "%%2F"):gsub("%p", "%%%0")
  text = text:gsub(encoded, "%%2Fhome%%2Fada%%2Fshop"):gsub((folder .. "/shop"):gsub("%p", "%%%0"), "/home/ada/shop")
  text = text:gsub("PostgreSQL %d[%d.]*", "PostgreSQL 15.20"):gsub("[ \t]+\n", "\n")
  return (text:gsub("'%x+'(, 'Create users)", "'...'%1"))
end

-- A terminal, so that lines come in the order in which a user sees them.
local function run(folder)
  local ran = cli.run({ "-qec", "sh " .. folder .. "/session", "/dev/null" }, {
    program = { "script" }, cwd = folder .. "/shop", timeout = 120,
    env = { PATH = folder .. "/bin:" .. os.getenv("PATH"), PAGER = "cat", SHELL = "/bin/sh" },
  })
  local outputs = {}
  for output in settle(ran.stdout:gsub("\r", ""), folder):gmatch("(.-)\1\n") do outputs[#outputs + 1] = output end
  return outputs
end

local function filled(blocks, outputs)
  local parts, number = {}, 0
  for _, block in ipairs(blocks) do
    local body = block.body
    if block.kind == "console" then
      local lines = {}
      for _, command in ipairs(commands_of(body)) do
        number = number + 1
        lines[#lines + 1] = "$ " .. command .. "\n" .. (outputs[number] or "(nothing was run)\n")
      end
      body = table.concat(lines):gsub("\n+$", "")
    end
    parts[#parts + 1] = block.text or ("```%s\n%s\n```\n"):format(block.info, body)
  end
  return table.concat(parts)
end

describe("the tour of the README", function()
  it("prints what it shows", function()
    local terminal = cli.run({ "-qec", "printf yes", "/dev/null" }, { program = { "script" } })
    if terminal.stdout ~= "yes" then pending("this system gives out no terminals") end
    local text = shell.read(readme)
    local blocks = blocks_of(text)
    local folder = tmp.folder("t")
    prepare(folder, blocks)
    local now = filled(blocks, run(folder))
    cli.run("dev stop", { cwd = folder .. "/shop" })
    if os.getenv("MOONTIDE_GOLDEN") == "1" then return shell.write(readme, now) end
    assert.equal(text, now)
  end)

  it("lists every command", function()
    local text = shell.read(readme)
    for _, name in ipairs(require("moontide.command").names()) do
      assert(text:find("`" .. name, 1, true), "the README lacks the command " .. name)
    end
  end)

  it("names keys, operations and documents that exist", function()
    local text = shell.read(readme)
    local known = require("moontide.config.key").known
    for name in text:match("## env.lua.-```lua\n(.-)```"):gmatch("\n  ([%w_]+) = ") do assert(known[name], name) end
    for name in text:match("\n| operations |.-\n\n"):gmatch("`([%w_]+)`") do
      assert(require("moontide.op") and require("moontide.operation").get(name), "there is no operation " .. name)
    end
    for path in text:gmatch("%]%(([%w_/.]+)#?[%w-]*%)") do assert(lfs.attributes(path), "there is no " .. path) end
  end)
end)
