-- The hook autogenerate: what it may make of the operations, and what it may not.

local cjson = require "cjson"
local cli = require "spec.support.cli"
local models = require "spec.support.models"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local declared = 'model.table("a", { { "id", "int", primary_key = true }, { "b", "text", index = true } })\n'
  .. 'model.table("old", { { "x", "int" } })\n'

describe("the hook autogenerate", function()
  local url, folder
  before_each(function() url = models.database "create table a (id int primary key); create table gone (x int)" end)
  after_each(function() server.drop(url) end)

  local function generate(hook, more)
    folder = cli.project { ["migrations/models.lua"] = declared, ["migrations/env.lua"] =
      ("return { models = 'models.lua', hooks = { autogenerate = %s } %s }\n"):format(hook, more or "") }
    return cli.run({ "revision", "--autogenerate", "-m", "Change", "--rev-id", "a1" },
      { cwd = folder, env = { DATABASE_URL = url } })
  end
  local function written()
    local text = shell.read(folder .. "/migrations/versions/a1_change.lua")
    if not text then return nil end
    return text:match("function upgrade%(%)\n(.-)\nend"), text:match("function downgrade%(%)\n(.-)\nend")
  end

  it("may drop, add and change operations of both directions", function()
    local ran = generate [[function(list, event)
      local kept = {}
      for _, o in ipairs(list) do
        if o.kind == "create_index" then o.online = true end
        if o.kind ~= "drop_table" and o.kind ~= "create_table" then kept[#kept + 1] = o end
      end
      kept[#kept + 1] = event.op.execute(("SELECT '%s of %s'"):format(event.direction, event.message))
      return kept
    end]]
    assert.equal(0, ran.status, ran.stderr)
    assert.is_nil(ran.stderr:find("destroys data", 1, true))
    local up, down = written()
    assert.equal([[
  op.add_column("a", { "b", "text" }, { schema = "public" })
  op.create_index("a_b_idx", "a", { "b" }, { schema = "public", online = true })
  op.execute("SELECT 'upgrade of Change'")]], up)
    assert.equal('  op.drop_column("a", "b", { schema = "public" })\n  op.execute("SELECT \'downgrade of Change\'")',
      (down:gsub("^.-(  op.drop_column)", "%1")))
  end)

  it("may change the list in place", function()
    assert.equal(0, generate("function(list) while list[2] do table.remove(list) end end").status)
    assert.equal(1, select(2, (written()):gsub("op%.", "")))
  end)

  it("writes nothing when nothing is left, and says what was found", function()
    local ran = generate "function() return {} end"
    assert.equal(0, ran.status)
    assert.truthy(ran.stderr:find("Detected removed table 'gone'", 1, true))
    assert.truthy(ran.stderr:find("The hooks left no operation: nothing was written", 1, true))
    assert.is_nil((written()))
    local document = cjson.decode(cli.run({ "revision", "--autogenerate", "--json" },
      { cwd = folder, env = { DATABASE_URL = url } }).stdout)
    assert.equal(cjson.null, document.path)
    assert.is_true(#document.detected > 0)
  end)

  it("is called with what the hooks of plugins answered", function()
    folder = cli.project {
      ["migrations/models.lua"] = declared, ["migrations/env.lua"] = [[
return { models = "models.lua", plugins = { "short" },
  hooks = { autogenerate = function(list) log(#list .. " left") end } }
]], ["migrations/plugins/short.lua"] = [[
return function(moontide)
  moontide.hook("autogenerate", function(list) return { list[1] } end)
end
]] }
    local ran = cli.run({ "revision", "--autogenerate", "-m", "Change", "--rev-id", "a1" },
      { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal(0, ran.status, ran.stderr)
    assert.truthy(ran.stderr:find("1 left\n1 left\n", 1, true), ran.stderr)
  end)

  for _, case in ipairs {
    { "a field that there is not", "function(list) list[1].onlin = true end", "was changed that cannot be written" },
    { "a field that is wrong", "function(list) list[1].name = 5 end", "autogenerate: " },
    { "no list", "function() return 5 end", "expected a list of operations, not a number" },
    { "holes", "function(list) list.extra = list[1] end", "not one with the key extra" },
    { "no operation", "function(list) list[1] = 'DROP TABLE a' end", "holds what is no operation" },
    { "a failure", "function(list) return list.x.y end", "attempt to index a nil value" },
    { "a wrong call", "function(list, event) event.op.create_index('i') end", "create_index" },
    { "a block", "function(list, event) event.op.transaction(function() end) end", "has no blocks" },
  } do
    it("is refused with " .. case[1], function()
      local ran = generate(case[2])
      assert.not_equal(0, ran.status)
      assert.truthy(ran.stderr:find(case[3], 1, true), ran.stderr)
      assert.truthy(ran.stderr:find("autogenerate", 1, true), ran.stderr)
      assert.is_nil(ran.stderr:find("traceback", 1, true))
      assert.is_nil((written()))
    end)
  end
end)
