--- Applying a thousand revisions and reverting them, against psql running the same
--- statements from a file: once all that `--sql` prints, once without the rows that
--- record the revisions.

local cli = require "spec.support.cli"
local project = require "spec.bench.project"
local samples = require "spec.bench.samples"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"

local COUNT, ROUNDS = 1000, 6

local durable = { fsync = "on", synchronous_commit = "on", full_page_writes = "on" }

-- Every statement of a script ends its line with a semicolon and has an empty line behind it.
local function without_bookkeeping(script)
  local kept = {}
  for statement in script:gmatch("(.-;\n)\n") do
    if not statement:find("moontide.", 1, true) then kept[#kept + 1] = statement end
  end
  return table.concat(kept, "\n")
end

-- The four scripts, by direction and whether they keep the books.
local function write_scripts(path)
  local folder = tmp.folder("script")
  for direction, target in pairs { upgrade = "head", downgrade = "head:base" } do
    local script = cli.ok { "--config", path .. "/env.lua", direction, "--sql", target }
    shell.write(folder .. "/" .. direction .. ".sql", script)
    shell.write(folder .. "/" .. direction .. ".bare.sql", without_bookkeeping(script))
  end
  return folder
end

local function psql(url, file)
  return { server.program "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-f", file }
end

local function subjects(path, scripts)
  return {
    { "moontide", function(url, direction)
      return samples.moontide(path, "--url", url, direction, direction == "upgrade" and "head" or "base")
    end },
    { "psql", function(url, direction) return psql(url, scripts .. "/" .. direction .. ".sql") end },
    { "bare", function(url, direction) return psql(url, scripts .. "/" .. direction .. ".bare.sql") end },
  }
end

-- Up and down, each subject in a database of its own; another one begins in each round.
local function round(taken, cluster, list, first)
  for offset = 0, #list - 1 do
    local name, command = table.unpack(list[(first + offset) % #list + 1])
    local url = cluster:database()
    for _, direction in ipairs { "upgrade", "downgrade" } do
      cluster:sql("checkpoint")
      taken:take(name .. " " .. direction, command(url, direction))
    end
  end
end

local function rows(sync)
  local list = {}
  for _, direction in ipairs { "upgrade", "downgrade" } do
    for _, subject in ipairs { "psql", "bare" } do
      list[#list + 1] = {
        title = ("%s of %d, fsync=%s, %s"):format(direction, COUNT, sync,
          subject == "psql" and "the same script" or "without bookkeeping"),
        ours = "moontide " .. direction, theirs = subject .. " " .. direction, reference = "psql", aim = 1.0,
      }
    end
  end
  return list
end

local function measure(taken, sync)
  local path = project.of(COUNT)
  local list = subjects(path, write_scripts(path))
  local cluster = server.cluster { settings = sync == "on" and durable or {} }
  for number = 1, ROUNDS do round(taken, cluster, list, number) end
  cluster:remove()
  return rows(sync)
end

return {
  { name = "apply-fsync-on", run = function(taken) return measure(taken, "on") end },
  { name = "apply-fsync-off", run = function(taken) return measure(taken, "off") end },
}
