local cli = require "spec.support.cli"
local shell = require "spec.support.shell"

local function run(revision, env)
  local folder = cli.project {
    ["migrations/versions/a b.lua"] = cli.revision("a1"), ["migrations/versions/c.lua"] = cli.revision("c1"),
    ["my editor.sh"] = '#!/bin/sh\nfor word; do echo "<$word>"; done >words\nexit $STATUS\n',
  }
  shell.capture(("chmod +x %s"):format(shell.quote(folder .. "/my editor.sh")))
  local ran = cli.run({ "edit", revision }, { cwd = folder, env = env })
  return ran, shell.read(folder .. "/words")
end

describe("edit", function()
  it("opens the files, without a shell between", function()
    local ran, words = run("heads", { VISUAL = '"./my editor.sh" -w $HOME', EDITOR = "false" })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("<-w>\n<$HOME>\n<migrations/versions/a b.lua>\n<migrations/versions/c.lua>\n", words)
  end)

  it("takes $EDITOR where $VISUAL is empty", function()
    local _, words = run("a1", { VISUAL = "", EDITOR = "'./my editor.sh'" })
    assert.equal("<migrations/versions/a b.lua>\n", words)
  end)

  it("says how the editor failed", function()
    local ran = run("a1", { VISUAL = "'./my editor.sh'", STATUS = "3" })
    assert.equal(1, ran.status)
    assert.equal("error: could not edit: ./my editor.sh ended with exit code 3\n", ran.stderr)
    assert.equal(1, run("a1", { VISUAL = "no-such-editor" }).status)
  end)

  it("has nothing to open for base", function()
    assert.equal('error: no revision files indicated by symbol "base"\n'
      .. "  hint: It stands for no revision; `moontide history` lists those there are.\n",
      run("base", { VISUAL = "true" }).stderr)
  end)
end)
