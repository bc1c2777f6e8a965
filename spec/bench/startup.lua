--- `upgrade` with nothing to do, against the least that psql can do. Debian's `psql` is
--- a Perl script around the real one, which is the reference.

local project = require "spec.bench.project"
local samples = require "spec.bench.samples"
local server = require "spec.support.server"

local function measure(taken, count, aim)
  local url, path = server.database(), project.of(count)
  local upgrade = samples.moontide(path, "--url", url, "upgrade")
  local psql = { server.program "psql", "-X", "-d", url, "-c", "select 1" }
  samples.new():turns(2, { { "first", upgrade }, { "warm", psql } })
  taken:turns(101, { { "moontide", upgrade }, { "psql", psql } })
  server.drop(url)
  local title = ("upgrade, nothing to do, %d applied"):format(count)
  return { { title = title, ours = "moontide", theirs = "psql", aim = aim } }
end

return {
  { name = "startup-1", run = function(taken) return measure(taken, 1, 1.2) end },
  { name = "startup-1000", run = function(taken) return measure(taken, 1000, 2.0) end },
}
