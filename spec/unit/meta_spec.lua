-- What editors are told is what there is.

local api = require "moontide.plugin.api"
local cli = require "spec.support.cli"
local operation = require "moontide.operation"
local server = require "spec.support.server"

local shipped = require("moontide.editor").files

local function read(name)
  local file <close> = assert(io.open("lua/moontide/meta/" .. name .. ".lua"))
  return file:read "a"
end

local function sorted(list)
  table.sort(list)
  return table.concat(list, " ")
end

-- The fields of a class.
local function fields_of(name, class)
  local text = read(name) .. "\n\n"
  local body = assert(text:match("\n%-%-%-@class " .. class:gsub("%p", "%%%0") .. "\n(.-)\n\n"), class)
  local fields = {}
  for field in ("\n" .. body):gmatch("\n%-%-%-@field ([%w_]+)") do fields[#fields + 1] = field end
  return sorted(fields)
end

describe("the description of the plugin API", function()
  it("has every registration point and every helper", function()
    local points, helpers = api.names()
    assert.equal(sorted(table.move(helpers, 1, #helpers, #points + 1, points)),
      fields_of("plugin", "moontide.PluginApi"))
  end)

  for name in pairs(api.libraries) do
    it("has every function of moontide." .. name, function()
      local class = "moontide." .. name:gsub("^%l", string.upper) .. "Library"
      local library, names = api.new({ name = "x" })[name], {}
      for key in pairs(library) do
        names[#names + 1] = key
        assert.is_not_nil(library[key])
      end
      assert.equal(sorted(names), fields_of("plugin", class))
    end)
  end

  for point, class in pairs {
    name = "PluginIdentity", ["type"] = "TypeRegistration", command = "CommandRegistration",
    backfill_signal = "BackfillSignalRegistration", backfill_transform = "BackfillTransformRegistration",
    backfill_strategy = "BackfillStrategyRegistration",
    formatter = "FormatterRegistration", model_kind = "ModelKindRegistration", lint_rule = "LintRuleRegistration",
  } do
    it("has every field of moontide." .. point, function()
      local names = {}
      for field in pairs(api.fields[point]) do names[#names + 1] = field end
      assert.equal(sorted(names), fields_of("plugin", "moontide." .. class))
    end)
  end

  it("has every field of moontide.operation", function()
    local _, problem = pcall(operation.register, { name = "spec_meta", no_field_at_all = 1 })
    local names = {}
    for name in problem.hint:match("The fields are (.*)%.$"):gmatch("[%w_]+") do
      if name ~= "and" then names[#names + 1] = name end
    end
    assert.equal(sorted(names), fields_of("plugin", "moontide.OperationRegistration"))
  end)
end)

describe("the description of revision files", function()
  local keys = [[
local function keys(map)
  local list = {}
  for key in pairs(map) do list[#list + 1] = key end
  table.sort(list)
  return table.concat(list, " ")
end
]]

  local url
  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  local function said(text, word)
    local seen, list = {}, {}
    for keys_of in text:gmatch(word .. ": ([^\n]*)") do
      for key in keys_of:gmatch("%S+") do
        if not seen[key] then list[#list + 1] = key end
        seen[key] = true
      end
    end
    return sorted(list)
  end

  local function run(env, body)
    local folder = cli.project {
      ["migrations/env.lua"] = env,
      ["migrations/versions/a.lua"] = keys .. 'revision = "a"\nfunction upgrade() ' .. body .. " end\n",
    }
    return cli.run({ "upgrade", "--tag", "t" }, { cwd = folder, env = { DATABASE_URL = url } }).stderr
  end

  it("has every field of the context, and every name", function()
    local text = run("return {}", 'print("context: " .. keys(context))')
    assert.equal(fields_of("context", "moontide.Context"), said(text, "context"))
    local meta = read "context"
    local names = { "op" }
    for name in meta:gmatch("\nfunction ([%w_]+)%(") do names[#names + 1] = name end
    for name in meta:gmatch("\n([%w_]+) = ") do names[#names + 1] = name end
    local own = { revision = 1, down_revision = 1, branch_labels = 1, depends_on = 1, upgrade = 1, downgrade = 1,
      change = 1, verify = 1 }
    local expected = {}
    local environment = require("moontide.environment").running({ directory = "." }, {}, {})
    for name in pairs(environment.names) do
      if name ~= "require" then expected[#expected + 1] = name end
    end
    for name in pairs(own) do expected[#expected + 1] = name end
    assert.equal(sorted(expected), sorted(names))
  end)

  it("has every field of the events of hooks", function()
    local env = keys .. [[
local function tell(event) print("event: " .. keys(event)) end
return { hooks = { before_upgrade = tell, before_revision = tell, on_error = function(event)
  tell(event)
  print("failure: " .. keys(event.error))
end } }]]
    local text = run(env, 'op.execute("SELECT 1/0")')
    assert.equal(fields_of("context", "moontide.HookEvent"), said(text, "event"))
    local documented = " " .. fields_of("context", "moontide.ErrorDocument") .. " "
    for name in said(text, "failure"):gmatch("%S+") do assert.matches(" " .. name .. " ", documented, 1, true) end
  end)
end)

describe("the description of models", function()
  local model = require "moontide.model"
  local meta, of_op = read "model", read "op"

  it("has what can be declared and nothing else", function()
    local names = {}
    for name in meta:gmatch("\nfunction model%.([%w_]+)%(") do names[#names + 1] = name end
    for name in meta:gmatch("\nmodel%.([%w_]+) = ") do names[#names + 1] = name end
    assert.equal(sorted(model.names()), sorted(names))
  end)

  it("names the operation of each that has no earlier name", function()
    for name, operation_name in meta:gmatch("\nmodel%.([%w_]+) = op%.([%w_]+)") do
      assert.equal(model.operation(name), operation_name)
      assert.is_false(require("moontide.model.renamed").has(name))
    end
  end)

  -- The arguments of a function, each with its description.
  local function parameters(text, place, name)
    local last = text:find("\nfunction " .. place .. "." .. name .. "(", 1, true)
    return text:sub(1, last - 1):match(".*\n\n(.*)$")
  end

  it("has the arguments of the operation, whose options also take the earlier name", function()
    for name, given in meta:gmatch("\nfunction model%.([%w_]+)%((.-)%)") do
      local kind = model.operation(name)
      assert.is_true(require("moontide.model.renamed").has(name))
      assert.equal(of_op:match("\nfunction op%." .. kind .. "%((.-)%)"), given)
      local last = "%-%-%-@param [%w_]+%?? moontide%.([%w]+)\n$"
      local class = assert((parameters(meta, "model", name) .. "\n"):match(last), name)
      local original = assert((parameters(of_op, "op", kind) .. "\n"):match(last), kind)
      assert.truthy(meta:find(("\n---@class moontide.%s : moontide.%s, moontide.Renamed\n"):format(class, original), 1,
        true), name)
    end
  end)
end)

describe("the files for editors", function()
  it("declare every type that they mention", function()
    local text = {}
    for _, name in ipairs(shipped) do text[#text + 1] = read(name) end
    text = table.concat(text, "\n")
    local declared = {}
    for name in text:gmatch("\n%-%-%-@%l+ moontide%.([%w_]+)") do declared[name] = true end
    for name in text:gmatch("moontide%.(%u[%w_]*)") do
      assert(declared[name], "moontide." .. name .. " is not declared")
    end
  end)

  it("are Lua", function()
    for _, name in ipairs(shipped) do assert(load(read(name), name, "t", {})) end
  end)
end)
