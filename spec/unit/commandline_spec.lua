local command = require "moontide.command"
local commandline = require "moontide.commandline"

local function parse(...) return commandline.parse { ... } end

local function problem_of(...)
  local ok, problem = pcall(parse, ...)
  assert.is_false(ok)
  assert.equal("usage", problem.kind)
  return problem
end

describe("global options", function()
  it("may stand before and after the command", function()
    local before = parse("-c", "f.lua", "-qv", "--json", "-x", "a=1", "heads").globals
    local after = parse("heads", "--config=f.lua", "-q", "-v", "--json", "-xa=1").globals
    assert.same({ config = "f.lua", quiet = true, verbose = true, json = true, x = { a = "1" } }, before)
    assert.same(before, after)
  end)

  it("win when they stand after, and -x collects", function()
    local words = "--url one -x a=1 -x b=x=y heads --url two -x a=2 -x c"
    local list = {}
    for word in words:gmatch("%S+") do list[#list + 1] = word end
    local globals = commandline.parse(list).globals
    assert.equal("two", globals.url)
    assert.same({ a = "2", b = "x=y", c = "" }, globals.x)
  end)

  it("give way to a command's own option of the same name", function()
    local request = parse("-c", "f.lua", "current", "--check-heads")
    assert.equal("f.lua", request.globals.config)
    assert.is_true(request.args.check_heads)
  end)
end)

describe("a revision that starts with a minus", function()
  it("is an argument or a value, never an option", function()
    assert.equal("-1", parse("downgrade", "-1").args.revision)
    assert.equal("-10", parse("downgrade", "--sql", "-10", "-q").args.revision)
    assert.equal("-3:current", parse("history", "-r-3:current").args.rev_range)
    assert.equal("-3:current", parse("history", "-r", "-3:current").args.rev_range)
    assert.equal("-3:", parse("history", "--rev-range=-3:").args.rev_range)
    assert.same({ "-1", "b" }, parse("stamp", "-1", "b").args.revisions)
  end)
end)

describe("wrong usage", function()
  local cases = {
    { {}, "a command is required", "Run `moontide --help` for the list." },
    { { "upgrad" }, 'unknown command "upgrad"', 'Did you mean "upgrade"?' },
    { { "qqqqqqqqq" }, 'unknown command "qqqqqqqqq"', "Run `moontide --help` for the usage." },
    { { "heads", "-i" }, 'unknown option "-i"', "Run `moontide heads --help` for the usage." },
    { { "heads", "--verbos" }, 'unknown option "--verbos"', 'Did you mean "--verbose"?' },
    { { "--jsn", "heads" }, 'unknown option "--jsn"', 'Did you mean "--json"?' },
    { { "heads", "-Z" }, 'unknown option "-Z"', nil },
    { { "heads", "more" }, "too many arguments", "Run `moontide heads --help` for the usage." },
    { { "show" }, 'missing argument "revision"', "Run `moontide show --help` for the usage." },
    { { "heads", "--url" }, 'option "--url" requires an argument', "Run `moontide heads --help` for the usage." },
    { { "heads", "--color", "sometimes" },
      'argument for option "--color" must be one of "auto", "always", "never"', nil },
  }
  for _, case in ipairs(cases) do
    it("is: " .. case[2], function()
      local problem = problem_of(table.unpack(case[1]))
      assert.equal(case[2], problem.message)
      if case[3] then assert.equal(case[3], problem.hint) end
    end)
  end
end)

describe("help", function()
  it("is asked for anywhere, but not behind --", function()
    assert.matches("^Usage: moontide %[global options%] COMMAND", parse("--help").text)
    assert.matches("^Usage: moontide %[global options%] COMMAND", parse("-q", "-h").text)
    assert.matches("^Usage: moontide show REV %[global options%]", parse("show", "-h").text)
    assert.equal("-h", parse("show", "--", "-h").args.revision)
    assert.is_true(parse("--version").version)
  end)

  it("lists every command with its summary", function()
    local text = parse("--help").text
    for _, entry in ipairs(command.list) do
      assert.matches((entry.name .. "%s+"):gsub("%-", "%%-") .. entry.summary:gsub("%p", "%%%0"), text)
    end
  end)
end)

describe("the commands", function()
  it("say of themselves what the list says", function()
    for _, entry in ipairs(command.list) do
      local module = command.load(entry)
      assert.same({ entry.name, entry.summary, "function" }, { module.name, module.summary, type(module.run) })
    end
  end)

  it("describe every option and argument", function()
    for _, entry in ipairs(command.list) do
      local parser = commandline.parser(entry)
      for _, list in ipairs { parser._options, parser._arguments } do
        for _, element in ipairs(list) do
          assert.truthy(element._description, entry.name .. ": " .. element._name)
        end
      end
    end
  end)

  it("are loaded one at a time", function()
    local names = {}
    for name in pairs(package.loaded) do
      if name:find("^moontide%.command%.") then names[#names + 1] = name end
    end
    for _, name in ipairs(names) do package.loaded[name] = nil end
    parse("heads", "-q")
    for _, entry in ipairs(command.list) do
      local is_loaded = package.loaded["moontide.command." .. entry.name:gsub("-", "_")] ~= nil
      assert.equal(entry.name == "heads", is_loaded, entry.name)
    end
  end)
end)
