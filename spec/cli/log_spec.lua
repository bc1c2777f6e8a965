local cjson = require "cjson"
local cli = require "spec.support.cli"
local server = require "spec.support.server"

describe("the log on standard error", function()
  local url
  setup(function() url = server.database() end)
  teardown(function() server.drop(url) end)

  local function upgrade(log, ...)
    local folder = cli.project {
      ["migrations/env.lua"] = ("return { log = %s }"):format(log),
      ["migrations/versions/a.lua"] = cli.revision("a1", nil,
        { upgrade = '  log.warn("mind the gap")\n  log.debug "deep"' }),
      ["migrations/versions/b.lua"] = cli.revision("b2", "a1", { upgrade = '  op.execute("SELECT 1/0")' }),
    }
    server.sql(url, "DROP SCHEMA IF EXISTS moontide CASCADE")
    local ran = cli.run({ "upgrade", ... }, { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(1, ran.status)
    return ran.stderr
  end

  local function has(text, part) return text:find(part, 1, true) ~= nil end

  it("has what the level lets through", function()
    local seen = {}
    for _, level in ipairs { "debug", "info", "warn", "error" } do
      local text = upgrade(('{ level = %q }'):format(level))
      local row = {}
      for index, part in ipairs { "deep", "Running upgrade", "warning: ", "error: " } do
        row[index] = has(text, part)
      end
      seen[#seen + 1] = row
    end
    assert.same({
      { true, true, true, true }, { false, true, true, true }, { false, false, true, true },
      { false, false, false, true },
    }, seen)
  end)

  it("is quieter or louder with -q and -v, whatever env.lua says", function()
    assert.is_false(has(upgrade('{ level = "debug" }', "-q"), "Running"))
    assert.is_true(has(upgrade('{ level = "error" }', "-v"), "SELECT 1/0"))
  end)

  it("has the time in front where it is asked for", function()
    local stamp = "%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ "
    local text = upgrade "{ timestamps = true }"
    assert.matches("^" .. stamp .. "Running upgrade  %-> a1, Revision a1.\n" .. stamp .. "warning: ", text)
    assert.matches("\n" .. stamp .. "error: migrations/versions/b.lua:6: division by zero", text)
  end)

  it("is one JSON object a line", function()
    local lines = {}
    for line in upgrade('{ format = "json" }'):gmatch("[^\n]+") do lines[#lines + 1] = cjson.decode(line) end
    assert.equal(4, #lines)
    assert.same({ "info", "Running upgrade  -> a1, Revision a1." }, { lines[1].level, lines[1].message })
    assert.same({ "warn", "mind the gap" }, { lines[2].level, lines[2].message })
    local last = lines[4]
    assert.same({ "error", "division by zero", "22012", "b2", "server" },
      { last.level, last.message, last.sqlstate, last.revision, last.kind })
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", last.time)
  end)

  it("names the target in each object", function()
    local folder = cli.project {
      ["migrations/env.lua"] = ('return { log = { format = "json" }, url = %q, targets = { %s, %s } }')
        :format(url, '{ name = "x", schema = "x" }', '{ name = "y", schema = "y" }'),
      ["migrations/versions/a.lua"] = cli.revision("a1"),
    }
    local seen = {}
    for line in cli.run("upgrade", { cwd = folder }).stderr:gmatch("[^\n]+") do
      local document = cjson.decode(line)
      if document.target then seen[document.target] = document.message end
    end
    assert.same({ x = "Running upgrade  -> a1, Revision a1.", y = "Running upgrade  -> a1, Revision a1." }, seen)
  end)

  it("refuses a level that is none", function()
    local folder = cli.project { ["migrations/env.lua"] = 'return { log = { level = "loud" } }' }
    local ran = cli.run("heads", { cwd = folder })
    assert.equal(2, ran.status)
    assert.matches('"log" must be a table { level = "debug"|"info"|"warn"|"error",', ran.stderr, 1, true)
  end)
end)
