-- Ctrl-C while several connections are at work in one process: what is on its way is finished, wherever it comes.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

-- SIGTERM is as good as Ctrl-C, which os.execute would keep from the program.
local program = [[
local crew, database = require "moontide.backfill.crew", require "moontide.db"
local own, url, words = crew.new(), os.getenv "DATABASE_URL", {}
local function interrupt() os.execute "kill -TERM $PPID" end
for number = 1, 2 do
  local lane <const> = crew.lane(database.connect(url))
  own:add(lane, function()
    lane:pipeline { { sql = "SELECT 1" } }
    %s
    words[number] = lane:pipeline({ { rows = true, sql = "SELECT 'done' AS word" } })[1][1].word
    %s
  end)
end
own:run(function() %s end)
io.write(tostring(own.stopping), " ", table.concat(words, " "))
]]

local in_a_turn = "if not asked then asked = true interrupt() end"

describe("lanes that are interrupted", function()
  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function run(...)
    local folder = cli.project { ["program.lua"] = program:format(...) }
    return cli.run("lua program.lua", { cwd = folder, env = { DATABASE_URL = url } })
  end

  local once = "if number == 2 then interrupt() end"
  local places = {
    ["where one begins to sleep"] = { once .. " lane:sleep(0.1)", "", "" },
    ["while one sleeps for long"] = { "lane:sleep(1000)", "", in_a_turn },
    ["where one ends"] = { "if number == 2 then lane:sleep(0.2) end", "if number == 1 then interrupt() end", "" },
    ["between the turns"] = { "lane:sleep(0.5)", "", in_a_turn },
    ["in a statement that one waits for alone"] = {
      [[if number == 2 then
        local alone = database.connect(url)
        interrupt()
        local _, problem = pcall(alone.exec, alone, "SELECT pg_sleep(60)")
        if problem.kind ~= "interrupted" then error(problem) end
        own.stopping = true
      end]], "", "" },
  }

  for place, parts in pairs(places) do
    it(place, function()
      local ran = run(table.unpack(parts))
      assert.equal("true done done", ran.stdout, ran.stderr)
      assert.equal(0, ran.status, ran.stderr)
    end)
  end

  it("go on where one of them has died of it", function()
    local ran = run('if number == 1 then dies = true interrupt() database.connect(url):exec "SELECT pg_sleep(60)" end',
      "", "if dies and own:count() > 1 then error 'it is still there' end")
    assert.equal("", ran.stderr)
    assert.equal(0, ran.status)
  end)
end)
