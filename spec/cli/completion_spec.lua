local cli = require "spec.support.cli"
local command = require "moontide.command"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local function has(program) return os.execute("command -v " .. program .. " >/dev/null 2>&1") == true end

describe("completion", function()
  for _, name in ipairs { "bash", "zsh", "fish" } do
    it("for " .. name .. " knows every command, and the shell can read it", function()
      local script = cli.ok { "completion", name }
      for _, entry in ipairs(command.list) do assert.matches(entry.name, script, 1, true) end
      if not has(name) then return end
      local path = tmp.name("completion")
      shell.write(path, script)
      shell.capture(("%s -n %s"):format(name, path))
    end)
  end

  it("completes commands and options in bash", function()
    local path = tmp.name("completion")
    shell.write(path, cli.ok { "completion", "bash" })
    local function complete(...)
      local words = { "moontide", ... }
      return shell.capture(("bash -c '. %s; COMP_WORDS=(%s); COMP_CWORD=%d; %s; echo \"$COMPREPLY\"'"):format(path,
        table.concat(words, " "), #words - 1, shell.read(path):match("complete %-F (%S+)")
          .. " moontide " .. words[#words] .. " " .. words[#words - 1]))
    end
    assert.equal("downgrade", complete("downg"))
    assert.equal("--resolve-dependencies", complete("heads", "--res"))
    assert.equal("--verbose", complete("heads", "--verb"))
  end)

  it("refuses another shell", function()
    local ran = cli.run { "completion", "tcsh" }
    assert.equal(2, ran.status)
    assert.matches('"bash", "zsh", "fish"', ran.stderr, 1, true)
  end)
end)
