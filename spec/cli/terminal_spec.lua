local cli = require "spec.support.cli"

describe("the line of progress on a terminal", function()
  it("is taken away for a line that stays, whoever writes that", function()
    local folder = cli.project { ["said.lua"] = [[
      local report = require "moontide.report"
      report.progress "half"
      report.info "waiting"
      report.warn "slow"
      report.progress "all"
      report.progress_end()
      report.info "done"]] }
    local ran = cli.run({ "-qec", cli.binary() .. " --color never lua said.lua", "/dev/null" }, {
      program = { "script" }, cwd = folder, env = { MOONTIDE_LUA_PATH = os.getenv "MOONTIDE_LUA_PATH" },
    })
    assert.equal(0, ran.status, ran.stderr)
    assert.equal("\r\27[Khalf\r\27[Kwaiting\r\nwarning: slow\r\n\r\27[Kall\r\27[Kdone\r\n", ran.stdout)
  end)
end)
