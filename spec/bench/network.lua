--- Fifty revisions over a network: 20 ms of delay each way, against psql, which is
--- given one message for each revision (all its statements in one string).

local cli = require "spec.support.cli"
local project = require "spec.bench.project"
local proxy = require "spec.support.proxy"
local samples = require "spec.bench.samples"
local server = require "spec.support.server"

local COUNT, ROUNDS, DELAY = 50, 5, 20

-- One -c for each transaction of the script.
local function psql_command(url, script)
  local words = { server.program "psql", "-X", "-q", "-d", url }
  for transaction in script:gmatch("BEGIN;.-COMMIT;") do
    words[#words + 1] = "-c"
    words[#words + 1] = transaction
  end
  return words
end

local function through(url, run)
  local wire <close> = proxy.start(url, { delay = DELAY })
  run(wire.url)
  return wire:counts().round_trips
end

local function measure(taken)
  local path = project.of(COUNT)
  local script = cli.ok { "--config", path .. "/env.lua", "upgrade", "--sql" }
  local trips
  for _ = 1, ROUNDS do
    local ours, theirs = server.database(), server.database()
    trips = through(ours, function(url) taken:take("moontide", samples.moontide(path, "--url", url, "upgrade")) end)
    through(theirs, function(url) taken:take("psql", psql_command(url, script)) end)
    server.drop(ours)
    server.drop(theirs)
  end
  local title = ("upgrade of %d, %d ms round trip (%d of them)"):format(COUNT, 2 * DELAY, trips)
  return { { title = title, ours = "moontide", theirs = "psql", aim = 0.25 } }
end

return { { name = "network", run = measure } }
