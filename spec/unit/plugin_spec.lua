local config = require "moontide.config"
local operation = require "moontide.operation"
local shell = require "spec.support.shell"
local tmp = require "spec.support.tmp"
local types = require "moontide.sql.type"

local count = 0

-- Registrations are the process's own: each spec takes names of its own, from `unique`.
local function unique()
  count = count + 1
  return "spec_plugin_" .. count
end

local function loaded(env, plugins)
  local folder = tmp.folder("plugin")
  shell.write(folder .. "/env.lua", env)
  for path, text in pairs(plugins or {}) do shell.write(folder .. "/" .. path, text) end
  return config.load { config = folder .. "/env.lua" }, folder
end

local function problem(env, plugins)
  local ok, answer = pcall(loaded, env, plugins)
  assert.is_false(ok)
  assert.equal("config", answer.kind)
  return answer
end

local function failing(body)
  local text = "return function(moontide)\n" .. body .. "\nend"
  return problem('return { plugins = { "a" } }', { ["plugins/a.lua"] = text })
end

local function operation_text(name)
  return ('moontide.operation { name = "%s", summary = "For a spec", build = function() return {} end, '
    .. 'sql = function() return {} end, inverse = function() return {} end, lock = function() return {} end, '
    .. 'source = function() return "" end }'):format(name)
end

describe("a plugin", function()
  it("is found in plugins/, beside env.lua, or by its path", function()
    local c = loaded('return { plugins = { "a", "b", "c.d", "lib/e.lua", "lib/f", "g" } }', {
      ["plugins/a.lua"] = "return function() end", ["b.lua"] = "return function() end",
      ["c/d.lua"] = "return function() end", ["lib/e.lua"] = "return function() end",
      ["lib/f/init.lua"] = "return function() end", ["plugins/g/init.lua"] = "return function() end",
    })
    local names = {}
    for index, one in ipairs(c.plugins) do names[index] = one.name end
    assert.same({ "a", "b", "d", "e", "f", "g" }, names)
  end)

  it("that is not there is told with the paths that were tried", function()
    local answer = problem('return {\n  plugins = { "a.b" },\n}')
    assert.equal('plugin "a.b" not found', answer.message)
    assert.matches("looked for %S+/plugins/a/b.lua, %S+/plugins/a/b/init.lua, %S+/a/b.lua, %S+/a/b/init.lua$",
      answer.detail)
    assert.matches("/env.lua:2$", answer.where)
  end)

  it("gets its options, and may be a table with setup", function()
    local c = loaded('return { plugins = { { "a", size = 3 } } }', { ["plugins/a.lua"] = [[
return { name = "b", version = "1.0", setup = function(moontide, options)
  moontide.hook("on_error", function() return options.size end)
end }]] })
    assert.equal("b", c.plugins[1].name)
    assert.equal("1.0", c.plugins[1].version)
    assert.equal(3, c.hooks.on_error[1].fn())
  end)

  it("is set up once, after those it requires", function()
    local a = [[
return function(moontide)
  moontide.name { requires = { "b" } }
  order = require("order")
  order[#order + 1] = "a"
end]]
    local b = [[return function(moontide)
  moontide.hook("before_upgrade", function() return require("order") end)
  local order = require("order")
  order[#order + 1] = "b"
end]]
    local c, folder = loaded('return { plugins = { "a", "b" } }',
      { ["plugins/a.lua"] = a, ["plugins/b.lua"] = b, ["order.lua"] = "return {}" })
    config.load { config = folder .. "/env.lua" }
    assert.same({ "b", "a" }, c.hooks.before_upgrade[1].fn())
  end)

  it("that raises names itself and the line", function()
    local answer = failing('  error("no luck")')
    assert.equal('plugin "a": no luck', answer.message)
    assert.matches("/plugins/a.lua:2$", answer.where)
    answer = failing("  moontide.hook('on_error', print)\n  local x = nil + 1")
    assert.matches('^plugin "a": attempt to perform arithmetic', answer.message)
    assert.matches("/plugins/a.lua:3$", answer.where)
  end)

  it("with a syntax error names it", function()
    local answer = problem('return { plugins = { "a" } }', { ["plugins/a.lua"] = "return funktion() end" })
    assert.matches('^plugin "a": ', answer.message)
    assert.matches("/plugins/a.lua:1$", answer.where)
  end)

  it("must be a function", function()
    local answer = problem('return { plugins = { "a" } }', { ["plugins/a.lua"] = "return 7" })
    assert.equal('plugin "a": the file must return a function, not number', answer.message)
  end)

  it("that fails, fails each time the environment is read", function()
    local folder = tmp.folder("plugin")
    shell.write(folder .. "/env.lua", 'return { plugins = { "a" } }')
    shell.write(folder .. "/plugins/a.lua", "return function(m) " .. operation_text(unique()):gsub("moontide", "m")
      .. " error('late') end")
    for _ = 1, 2 do
      local _, answer = pcall(config.load, { config = folder .. "/env.lua" })
      assert.equal('plugin "a": late', answer.message)
    end
  end)

  it("cannot change the library", function()
    assert.matches("cannot set moontide.check.name", failing("  moontide.check.name = nil").message, 1, true)
    assert.matches("cannot set moontide.hook", failing("  moontide.hook = nil").message, 1, true)
  end)

  it("is told what this version does not have", function()
    assert.equal('plugin "a": moontide.sandbox is not supported by this version',
      failing("  moontide.sandbox {}").message)
    local answer = failing("  moontide.operatoin {}")
    assert.equal('plugin "a": moontide.operatoin does not exist', answer.message)
    assert.equal("Did you mean moontide.operation?", answer.hint)
  end)

  for _, case in ipairs {
    { 'moontide.name { nam = "x" }', 'moontide.name: unknown field "nam"' },
    { 'moontide.name { version = "v1" }', 'moontide.name: invalid version "v1"' },
    { 'moontide.name { requires = { "b ~> 1" } }', "moontide.name: cannot read the requirement b ~> 1" },
    { 'moontide.hook("on_error", print) moontide.name {}',
      "moontide.name must come before everything that is registered, and once" },
    { 'moontide.hook("after_upgrad", print)', 'moontide.hook: unknown hook "after_upgrad"' },
    { 'moontide.hook("upgrade", print)', 'moontide.hook: unknown hook "upgrade"' },
    { 'moontide.hook("on_error")', "moontide.hook needs a function, not nil" },
    { 'moontide.command { name = "x" }', 'moontide.command: field "run" must be a function, not nil' },
    { 'moontide.command { name = "X y", summary = "x", run = print }', 'moontide.command: invalid name "X y"' },
    { 'moontide.command { name = "upgrade", summary = "x", run = print }',
      'command "upgrade" is already registered by moontide itself' },
    { 'moontide.type { name = "jsonb" }', 'type "jsonb" is already registered by moontide itself' },
    { 'moontide.type { name = "select" }', 'type "select" is already registered by moontide itself' },
    { 'moontide.formatter { name = "x" }', 'moontide.formatter: field "run" must be a function, not nil' },
    { 'moontide.operation { name = "x" }', 'operation "x": field' },
    { 'moontide.operation(7)', "moontide.operation needs a table, not number" },
    { operation_text "create_table", 'operation "create_table" is already registered by ' },
  } do
    it("is refused " .. case[1]:sub(1, 50), function()
      local answer = failing("  " .. case[1])
      assert.matches('plugin "a": ' .. case[2], answer.message, 1, true)
      assert.matches("/plugins/a.lua:2$", answer.where)
    end)
  end
end)

describe("two plugins", function()
  local function clash(text, text2)
    return problem('return { plugins = { "a", "b" } }', {
      ["plugins/a.lua"] = "return function(moontide) " .. text .. " end",
      ["plugins/b.lua"] = "return function(moontide)\n" .. (text2 or text) .. " end",
    })
  end

  for what, text in pairs {
    operation = function(name) return operation_text(name) end,
    ["type"] = function(name) return ('moontide.type { name = "%s" }'):format(name) end,
    formatter = function(name) return ('moontide.formatter { name = "%s", run = print }'):format(name) end,
  } do
    it(("with the same %s are both named"):format(what), function()
      local name = unique()
      local answer = clash(text(name))
      assert.matches(('^plugin "b": %s "%s" is already registered by plugin "a" %%(%%S+/plugins/a.lua:1%%)$')
        :format(what, name), answer.message)
      assert.matches('^registered by plugin "b" %(%S+/plugins/b.lua:2%)$', answer.detail)
    end)
  end

  it("may have the same hook, called in their order, then env.lua's", function()
    local hook = 'return function(moontide) moontide.hook("after_upgrade", function(event) '
      .. 'table.insert(event, "%s") end) end'
    local c = loaded('return { plugins = { "a", "b" }, hooks = { after_upgrade = function(event) '
      .. 'table.insert(event, "env") end } }', {
      ["plugins/a.lua"] = hook:format("a"), ["plugins/b.lua"] = hook:format("b"),
    })
    local event = {}
    for _, one in ipairs(c.hooks.after_upgrade) do one.fn(event) end
    assert.same({ "a", "b", "env" }, event)
  end)
end)

describe("what a plugin registers", function()
  it("is an operation like every other, whose arguments are refused at the line of the call", function()
    local name = unique()
    loaded('return { plugins = { "a" } }', { ["plugins/a.lua"] = ([[
return function(moontide)
  moontide.operation {
    name = "%s", summary = "For a spec",
    build = function(name) return { name = moontide.check.name(name, "the name") } end,
    sql = function(o) return { "SELECT " .. moontide.quote.ident(o.name) } end,
    inverse = function(o) return { moontide.build("drop_table", o.name) } end,
    lock = function() return {} end,
    source = function(o) return moontide.source.call("%s", o.name) end,
  }
end]]):format(name, name) })
    local o = operation.build(name, "a b")
    assert.equal('SELECT "a b"', operation.statements(o)[1].sql)
    assert.equal("drop_table", operation.inverse(o)[1].kind)
    assert.equal(('op.%s("a b")'):format(name), operation.source(o))
    local _, answer = pcall(operation.build, name, ("x"):rep(64))
    assert.matches("plugin_spec.lua:%d+$", answer.where)
  end)

  it("is a type that is known, and nothing else is", function()
    local name = unique()
    assert.is_false(types.parse(name).known)
    loaded('return { plugins = { "a" } }', { ["plugins/a.lua"] = ([[
return function(moontide)
  moontide.type { name = "%s", modifiers = function(given)
    if #given ~= 1 then return "one modifier is needed" end
  end }
end]]):format(name) })
    assert.is_true(types.parse(name .. "(3)").known)
    assert.equal("x." .. name .. "(3)[]", types.parse("x." .. name .. " ( 3 )[]").text)
    local _, answer = types.parse(name)
    assert.equal("one modifier is needed", answer.message)
    assert.equal(name, types.suggestion(name .. "x"))
  end)

  it("is a formatter that post_write_hooks can name", function()
    local files = {
      ["plugins/a.lua"] = 'return function(moontide) moontide.formatter { name = "tidy", run = print } end',
    }
    local c = loaded('return { plugins = { "a" }, post_write_hooks = { "tidy" } }', files)
    assert.equal("function", type(c.post_write_hooks[1].run))
    local answer = problem('return { plugins = { "a" },\n post_write_hooks = { "tidi" } }', files)
    assert.equal('unknown formatter "tidi"', answer.message)
    assert.equal('Did you mean "tidy"?', answer.hint)
    assert.matches("env.lua:2$", answer.where)
  end)
end)

describe("the key plugins", function()
  for _, text in ipairs { "7", "{ 7 }", "{ {} }", '{ { "a", 7 } }', '{ a = "b" }' } do
    it("refuses " .. text, function()
      assert.equal('"plugins" must be a list of names, or { "name", option = ... }',
        problem(("return { plugins = %s }"):format(text)).message)
    end)
  end
end)
