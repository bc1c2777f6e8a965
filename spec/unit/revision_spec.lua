local digest = require "moontide.runtime.digest"
local environment = require "moontide.environment"
local revision = require "moontide.revision"
local template = require "moontide.template"

local config = { directory = "/nowhere", trusted = false, x = {} }

local function read(text, check)
  local ran = false
  local rev = revision.read("v/a.lua", text, function()
    ran = true
    return environment.idle(config)
  end, check)
  return rev, ran
end

local function problem_of(text, check)
  local ok, problem = pcall(read, text, check)
  assert.is_false(ok)
  return problem
end

local function file(head, rest) return head .. "\n" .. (rest or "function upgrade() end\n") end

describe("a revision file as the template writes it", function()
  it("is only scanned", function()
    local text = template.revision { id = "b2", message = "Add it.\nFor a reason.", down = { "a1", "a2" },
      labels = { "shop" }, deps = { "c3" }, created = "2026-01-15 10:00:00+00:00" }
    local rev, ran = read(text)
    assert.is_false(ran)
    assert.equal("b2", rev.id)
    assert.same({ "a1", "a2" }, rev.down)
    assert.same({ "shop" }, rev.labels)
    assert.same({ "c3" }, rev.deps)
    assert.equal("Add it.", rev.doc)
    assert.equal("Add it.\nFor a reason.", rev.message)
    assert.equal(digest.sha256(text), revision.checksum(rev))
  end)

  local scanned = {
    ["single quotes and a trailing comment"] = file "revision = 'a' -- the id\ndown_revision = nil;",
    ["line feeds of Windows"] = "--- Doc.\r\nrevision = \"a\"\r\ndown_revision = nil\r\nfunction upgrade() end\r\n",
    ["change() instead of upgrade()"] = file("revision = 'a'", "function change() end"),
    ["left out fields"] = file "revision = 'a'",
  }
  for what, text in pairs(scanned) do
    it("may have " .. what, function()
      local rev, ran = read(text)
      assert.is_false(ran)
      assert.equal("a", rev.id)
      assert.same({}, rev.down)
    end)
  end
end)

describe("any other file", function()
  local run = {
    ["an expression"] = file "revision = 'a' .. 'b'\ndown_revision = nil",
    ["another order"] = file "down_revision = nil\nrevision = 'ab'",
    ["an assignment further down"] = file("revision = 'zz'\ndown_revision = nil",
      "function upgrade() end\nrevision = 'ab'"),
    ["an escape"] = file [[revision = "a\98"]],
    ["a head inside a long comment"] = "--[[\nrevision = 'x'\nfunction upgrade() end\n]] revision = 'ab' "
      .. "function upgrade() end",
    ["a function that is assigned"] = "revision = 'ab'\nupgrade = function() end\n",
    ["_ENV"] = file("revision = 'zz'", "_ENV['rev' .. 'ision'] = 'ab' function upgrade() end"),
  }
  for what, text in pairs(run) do
    it("is run: " .. what, function()
      local rev, ran = read(text)
      assert.is_true(ran)
      assert.equal("ab", rev.id)
    end)
  end

  it("cannot call operations while it is looked at", function()
    local problem = problem_of "revision = 'a' .. ''\nop.execute('drop table t')\nfunction upgrade() end"
    assert.equal("operations belong inside upgrade(), downgrade() or change()", problem.message)
    assert.equal("v/a.lua:2", problem.where)
  end)
end)

describe("a wrong revision file", function()
  local cases = {
    { "down_revision = nil\nfunction upgrade() end", "revision is missing", "v/a.lua:1" },
    { "\nrevision = 12\nfunction upgrade() end", "revision must be a string, not number", "v/a.lua:2" },
    { file "revision = ''", "revision identifier is empty", "v/a.lua:1" },
    { file "revision = 'a@b-c'", 'character(s) "-", "@" not allowed in revision identifier "a@b-c"', "v/a.lua:1" },
    { file "revision = 'a'\nbranch_labels = 'x y'", 'character(s) " " not allowed in branch label "x y"', "v/a.lua:2" },
    { file "revision = 'a'\ndown_revision = 7", "down_revision must be nil, a string or a list of strings, not number",
      "v/a.lua:2" },
    { file "revision = 'a'\ndepends_on = { x = 'b' }",
      "depends_on must be nil, a string or a list of strings, not table", "v/a.lua:2" },
    { "revision = 'a'\n", "no upgrade function", "v/a.lua:1" },
    { "revision = 'a'\nupgrade = 3\n", "no upgrade function", "v/a.lua:1" },
    { "revision = 'a'\nlocal x = = 1\n", "unexpected symbol near '='", "v/a.lua:2" },
    { "revision = 'a' .. nil\n", "attempt to concatenate a nil value", "v/a.lua:1" },
    { "revision = 'a' .. error 'oops'\n", "oops", "v/a.lua:1" },
  }
  for _, case in ipairs(cases) do
    it("says: " .. case[2], function()
      local problem = problem_of(case[1])
      assert.equal("revision", problem.kind)
      assert.equal(case[2], problem.message)
      assert.equal(case[3], problem.where)
    end)
  end

  it("has its syntax error found below the head, when that is asked for", function()
    local text = file("revision = 'a'\ndown_revision = nil", "\nfunction upgrade()\n  op.execute(\nend\n")
    assert.equal("a", read(text).id)
    local problem = problem_of(text, true)
    assert.equal("v/a.lua:6", problem.where)
    assert.matches("unexpected symbol near 'end'", problem.message, 1, true)
  end)
end)

describe("documentation", function()
  local cases = {
    { "--- One: two.\n-- Revision ID: x\n", "One: two.", "One: two." },
    { "-- Revision ID: x\n-- plain\n", "plain", "plain" },
    { "--- First.\n--\n-- Second.\n-- Create Date: x\nlocal y -- z\n", "First.", "First.\n\nSecond." },
    { "local x\n--- not here\n", "", "" },
    { "--[[ long ]]\n", "", "" },
  }
  for _, case in ipairs(cases) do
    it(("is %q"):format(case[3]), function()
      local rev = read(case[1] .. "revision = 'a'\nfunction upgrade() end")
      assert.same({ case[2], case[3] }, { rev.doc, rev.message })
    end)
  end
end)

describe("the globals of a revision", function()
  local function globals(text, options)
    local scope = environment.open({ directory = "/nowhere", trusted = options and options.trusted }, { op = {} })
    local rev = read("revision = 'a'\nfunction upgrade() end\n" .. text)
    return revision.load(rev, scope)
  end

  it("hold no way out of the process", function()
    local env = globals [[
      seen = { os.execute, os.exit, os.remove, os.rename, io.popen, io.write, io.output, debug, dofile, loadfile,
        package, collectgarbage }
      ok = os.time and os.getenv and io.open and string.rep and table.concat and true
    ]]
    assert.is_nil(next(env.seen))
    assert.is_true(env.ok)
  end)

  it("hold all of Lua when the project is trusted", function()
    assert.equal(os.execute, globals("run = os.execute", { trusted = true }).run)
  end)

  it("are the file's own", function()
    globals "leak = 1"
    assert.is_nil(rawget(_G, "leak"))
  end)

  local refused = {
    ["string.rep = nil"] = "cannot set string.rep",
    ["getmetatable('').__index.rep = nil"] = "attempt to index a nil value",
    ["io.open('/tmp/x', 'w')"] = "files can only be read here, not written",
    ["require '../evil'"] = "bad module name ../evil",
    ["require 'moontide.db'"] = 'module "moontide.db" not found',
    ["load('\\27Lua', 'x', 'b')()"] = "attempt to call a nil value",
  }
  for text, message in pairs(refused) do
    it("refuse " .. text, function()
      local ok, problem = pcall(globals, text)
      assert.is_false(ok)
      assert.matches(message, problem.message, 1, true)
      assert.equal("v/a.lua:3", problem.where)
    end)
  end

  it("give load() the file's own globals", function()
    assert.equal(1, globals("inner = load('deep = 1; return deep')()").deep)
  end)
end)
