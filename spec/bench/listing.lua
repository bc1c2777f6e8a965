--- Reading ten thousand revision files, against lua5.4 running them in a loop.

local project = require "spec.bench.project"
local samples = require "spec.bench.samples"

local loop = "for path in io.lines(arg[1]) do dofile(path) end"

local function measure(taken, command)
  local path = project.of(10000)
  local lua = { "lua5.4", "-e", "arg = { [1] = '" .. project.list_of(path) .. "' }\n" .. loop }
  taken:turns(15, { { "moontide", samples.moontide(path, command) }, { "lua5.4", lua } })
  return { { title = command .. " of 10000 revisions", ours = "moontide", theirs = "lua5.4", aim = 2.0 } }
end

return {
  { name = "heads", run = function(taken) return measure(taken, "heads") end },
  { name = "history", run = function(taken) return measure(taken, "history") end },
}
