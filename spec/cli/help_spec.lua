local cli = require "spec.support.cli"
local json = require "moontide.json"

describe("help", function()
  it("shows what --help shows", function()
    assert.equal(cli.ok("--help"), (cli.ok("help")))
    assert.equal(cli.ok("upgrade --help"), (cli.ok("help upgrade")))
    assert.equal(cli.ok("heads --help"), json.decode((cli.ok("help heads --json"))).text .. "\n")
  end)

  it("prints the manual page", function()
    local page = cli.ok "help --man"
    assert.matches("^%.TH MOONTIDE 1 ", page)
    assert.matches(cli.ok("--version"):match("%S+%s+(%S+)"), page, 1, true)
  end)

  it("suggests the command that was meant", function()
    local ran = cli.run "help upgrad"
    assert.equal(2, ran.status)
    assert.equal('error: unknown command "upgrad"\n  hint: Did you mean "upgrade"?\n', ran.stderr)
    assert.equal(2, cli.run("help heads --man").status)
  end)
end)
