-- What `include` of env.lua takes.

local include = require "moontide.include"

local function rule(given) return assert(include.read(given)) end
local function object(kind, schema, name) return { kind = kind, schema = schema, name = name, reflected = true } end

describe("include", function()
  it("matches patterns of schemas, kinds and names", function()
    local app = rule { schema = { "app", "app_*" }, kind = "table", name = "order?" }
    assert.is_true(include.takes(app, object("table", "app", "orders")))
    assert.is_true(include.takes(app, object("table", "app_1", "orderx")))
    assert.is_false(include.takes(app, object("table", "application", "orders")))
    assert.is_false(include.takes(app, object("view", "app", "orders")))
    assert.is_false(include.takes(app, object("table", "app", "orderss")))
  end)

  it("takes every other character as it is", function()
    local odd = rule { name = "a.b-(c)%[d]^$+" }
    assert.is_true(include.takes(odd, object("table", "s", "a.b-(c)%[d]^$+")))
    assert.is_false(include.takes(odd, object("table", "s", "axb-(c)%[d]^$+")))
  end)

  it("asks what is in no schema about none", function()
    assert.is_true(include.takes(rule { schema = "app" }, object("publication", nil, "p")))
    assert.is_true(include.takes(rule { except = { schema = "*" } }, object("publication", nil, "p")))
  end)

  it("has exceptions, one or several", function()
    local one = rule { except = { kind = "table", name = "tmp_*" } }
    assert.is_false(include.takes(one, object("table", "s", "tmp_1")))
    assert.is_true(include.takes(one, object("view", "s", "tmp_1")))
    local two = rule { except = { { schema = "a" }, { schema = "b", kind = "view" } } }
    assert.is_false(include.takes(two, object("table", "a", "t")))
    assert.is_true(include.takes(two, object("table", "b", "t")))
    assert.is_false(include.takes(two, object("view", "b", "t")))
  end)

  it("asks parts about exceptions and functions only", function()
    local tables = rule { kind = "table", except = { kind = "trigger" } }
    assert.is_true(include.takes(tables, object("index", "s", "i"), true))
    assert.is_false(include.takes(tables, object("trigger", "s", "i"), true))
    assert.is_false(include.takes(rule { where = function(o) return o.kind ~= "index" end }, object("index", "s", "i"),
      true))
  end)

  it("may be a function, whose failure says what it was asked", function()
    local seen
    local fn = rule(function(o) seen = o return nil end)
    assert.is_false(include.takes(fn, object("table", "s", "t")))
    assert.equal("t", seen.name)
    local _, problem = pcall(include.takes, rule(function(o) return o.nothing.at_all end), object("table", "s", "t"))
    assert.equal("in include of env.lua, asked about table t", problem.detail)
  end)

  it("knows the schemas that are left out whole", function()
    local app = rule { schema = "app*", except = { { schema = "app_old" }, { schema = "app_new", kind = "view" } } }
    assert.is_true(include.leaves_schema(app, "public"))
    assert.is_true(include.leaves_schema(app, "app_old"))
    assert.is_false(include.leaves_schema(app, "app_new"))
    assert.is_false(include.leaves_schema(rule { kind = "table" }, "public"))
  end)

  for i, wrong in ipairs { "app", {}, 1, true, { "app" }, { schema = {} }, { schema = 1 }, { schema = { a = "b" } },
    { except = "tmp_*" }, { except = {} }, { except = { {} } }, { except = { { name = "a" }, "b" } },
    { except = { where = function() end } }, { where = "x" }, { schemas = "app" }, { name = "" },
    { except = { { name = "a" }, name = "b" } } } do
    it("is refused when it is wrong: " .. i, function()
      local found, expected = include.read(wrong)
      assert.is_nil(found)
      assert.truthy(expected:find("^a function, or a table of patterns"))
    end)
  end
end)
