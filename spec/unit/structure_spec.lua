-- The promises of the house: which module may require which, and that every operation is complete and documented.

local lfs = require "lfs"
local operation = require "moontide.operation"
require "moontide.op"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function each_file(folder, fn)
  for entry in lfs.dir(folder) do
    local path = folder .. "/" .. entry
    if lfs.attributes(path, "mode") == "directory" then
      if entry ~= "." and entry ~= ".." and entry ~= "meta" then each_file(path, fn) end
    elseif entry:find("%.lua$") then
      fn(path)
    end
  end
end

local function module_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

-- Requires at the beginning of a line run when the module is loaded; the others when it is used.
local function requires_of(text, at_load_only)
  local found = {}
  for line in (text:gsub("%-%-[^\n]*", "") .. "\n"):gmatch("(.-)\n") do
    local at_load = line:find("^local") or line:find("^require") or line:find("^return")
    if at_load or not at_load_only then
      for name in line:gmatch("require%s*%(?%s*[\"']([%w_.]+)[\"']") do found[#found + 1] = name end
    end
    if not at_load_only then
      for name in line:gmatch("late%s+\"([%w_.]+)\"") do found[#found + 1] = name end
    end
  end
  return found
end

local modules = {}
each_file("lua/moontide", function(path)
  local text = read(path)
  modules[module_of(path)] = { path = path, text = text, all = requires_of(text), load = requires_of(text, true) }
end)

local function find_cycle(name, stack, done)
  if stack[name] then return name end
  if done[name] or not modules[name] then return nil end
  stack[name] = true
  for _, other in ipairs(modules[name].load) do
    local cycle = find_cycle(other, stack, done)
    if cycle then return name .. " -> " .. cycle end
  end
  stack[name], done[name] = nil, true
  return nil
end

describe("the modules", function()
  it("require each other without cycles", function()
    local done = {}
    for name in pairs(modules) do assert.is_nil(find_cycle(name, {}, done)) end
  end)

  it("reach PostgreSQL through db only", function()
    for name, module in pairs(modules) do
      for _, other in ipairs(module.all) do
        if other == "moontide.runtime.pg" then assert.equal("moontide.db", name) end
      end
    end
  end)

  it("that are pure require neither the server nor the system", function()
    local checked = 0
    for name, module in pairs(modules) do
      local pure = name:find("^moontide%.object%.") or name:find("^moontide%.sql%.") or name:find("^moontide%.graph")
        or name:find("^moontide%.catalog%.")
        or name == "moontide.operation" or name == "moontide.source" or name == "moontide.check"
        or name == "moontide.plan" or name:find("^moontide%.plan%.") or name == "moontide.revspec"
        or name == "moontide.value" or name == "moontide.suggest"
      if pure then
        checked = checked + 1
        for _, other in ipairs(module.all) do
          assert.falsy(other:find("^moontide%.runtime%.") or other == "moontide.db" or other == "moontide.report",
            name .. " requires " .. other)
        end
      end
    end
    assert.truthy(checked > 20)
  end)

  it("that are pure print nothing", function()
    for name, module in pairs(modules) do
      if name:find("^moontide%.object%.") or name:find("^moontide%.sql%.") then
        assert.falsy(module.text:find("%f[%w]print%("), name)
        assert.falsy(module.text:find("io%.write"), name)
      end
    end
  end)

  it("have fewer than 400 lines each", function()
    for name, module in pairs(modules) do
      local _, lines = module.text:gsub("\n", "")
      assert.truthy(lines < 400, ("%s has %d lines"):format(name, lines))
    end
  end)
end)

-- meta/op.lua: fields of classes, and of each function the class of its options.
local function read_meta()
  local meta = { classes = {}, parents = {}, options = {}, described = {} }
  local class, options, described
  for line in read("lua/moontide/meta/op.lua"):gmatch("[^\n]*") do
    local name, parents = line:match("^%-%-%-@class ([%w.]+)%s*:?%s*(.*)$")
    if name then
      class, meta.classes[name], meta.parents[name] = name, {}, {}
      for parent in parents:gmatch("[%w.]+") do table.insert(meta.parents[name], parent) end
    end
    local field = line:match("^%-%-%-@field ([%w_]+)")
    if field then meta.classes[class][field] = true end
    options = line:match("^%-%-%-@param options%?? ([%w.]+)") or options
    if line:find("^%-%-%- %S") then described = true end
    local verb = line:match("^function op%.([%w_]+)%(")
    if verb then
      meta.options[verb], meta.described[verb] = options or false, described
      options, described = nil, nil
    elseif line == "" then
      options, described = nil, nil
    end
  end
  return meta
end

local meta = read_meta()

local function fields_of(class, into)
  for field in pairs(meta.classes[class]) do into[field] = true end
  for _, parent in ipairs(meta.parents[class]) do fields_of(parent, into) end
  return into
end

local function sorted(set)
  local list = {}
  for key in pairs(set) do list[#list + 1] = key end
  table.sort(list)
  return table.concat(list, ", ")
end

-- The options an operation takes, as it says them itself when given one that does not exist.
local function options_of(...)
  local arguments = table.pack(...)
  arguments[arguments.n + 1] = { a_word_unlike_any_option_at_all = true }
  local ok, problem = pcall(operation.build, table.unpack(arguments, 1, arguments.n + 1))
  assert.is_false(ok)
  return (assert(problem.hint, problem.message):match("^The options are: (.*)%.$"))
end

-- Arguments before the options, of the operations that take options.
local arguments = {
  drop_table = { "t" }, rename_table = { "t", "u" }, add_column = { "t", { "a", "int" } }, drop_column = { "t", "a" },
  rename_column = { "t", "a", "b" }, alter_column = { "t", "a" }, alter_table = { "t", {} },
  create_index = { "i", "t", "a" }, drop_index = { "i" }, rename_index = { "i", "j" },
  create_primary_key = { "c", "t", "a" }, create_unique_constraint = { "c", "t", "a" },
  create_foreign_key = { "c", "t", "p", "a", "b" }, create_check_constraint = { "c", "t", "a > 0" },
  create_exclude_constraint = { "c", "t", { { "a", "=" } } }, drop_constraint = { "c", "t" },
  rename_constraint = { "t", "c", "d" }, validate_constraint = { "c", "t" }, create_table_comment = { "t", "x" },
  drop_table_comment = { "t" }, create_column_comment = { "t", "a", "x" }, drop_column_comment = { "t", "a" },
  create_view = { "v", "select 1" }, drop_view = { "v" }, rename_view = { "v", "w" },
  create_materialized_view = { "v", "select 1" }, drop_materialized_view = { "v" },
  rename_materialized_view = { "v", "w" }, refresh_materialized_view = { "v" }, alter_materialized_view = { "v" },
  create_function = { "f" }, drop_function = { "f" }, rename_function = { "f", "g" },
  create_procedure = { "p" }, drop_procedure = { "p" }, rename_procedure = { "p", "q" },
  create_trigger = { "a", "t" }, drop_trigger = { "a", "t" }, rename_trigger = { "a", "t", "b" },
  enable_trigger = { "a", "t" }, disable_trigger = { "a", "t" }, enable_triggers = { "t" }, disable_triggers = { "t" },
  create_event_trigger = { "e", "ddl_command_end" }, drop_event_trigger = { "e" }, rename_event_trigger = { "e", "f" },
  create_rule = { "r", "t" }, drop_rule = { "r", "t" }, rename_rule = { "r", "t", "s" },
  create_policy = { "p", "t" }, drop_policy = { "p", "t" }, rename_policy = { "p", "t", "q" },
  alter_policy = { "p", "t" }, enable_row_security = { "t" }, disable_row_security = { "t" },
  force_row_security = { "t" }, no_force_row_security = { "t" }, alter_owner = { "table", "t", "r" },
  grant = { "select" }, revoke = { "select" }, alter_default_privileges = { "grant", "select" },
  comment = { "table", "t", "x" }, create_partition = { "p", "t" }, drop_partition = { "p", "t" },
  attach_partition = { "p", "t" }, detach_partition = { "p", "t" }, set_storage_parameters = { "t", { a = 1 } },
  set_tablespace = { "t", "s" }, set_access_method = { "t", "m" }, set_replica_identity = { "t", "full" },
  set_cluster = { "t", "i" }, set_logged = { "t" }, set_unlogged = { "t" }, inherit = { "t", "p" },
  no_inherit = { "t", "p" }, set_schema = { "table", "t", "s" }, create_statistics = { "s", "t", { "a", "b" } },
  drop_statistics = { "s" }, rename_statistics = { "s", "r" }, set_statistics_target = { "s", 1 },
  bulk_insert = { "t", {} }, require_backfill = { "b" }, copy_from = { "t", {} },
  create_enum = { "e", { "a" } }, drop_enum = { "e" }, rename_enum = { "e", "f" }, set_enum_schema = { "e", "s" },
  add_enum_value = { "e", "a" }, rename_enum_value = { "e", "a", "b" }, drop_enum_value = { "e", "a" },
  alter_enum = { "e", { "a" } }, create_domain = { "d", "int" }, drop_domain = { "d" }, rename_domain = { "d", "e" },
  set_domain_schema = { "d", "s" }, alter_domain = { "d" }, create_domain_constraint = { "c", "d", "value > 0" },
  drop_domain_constraint = { "c", "d" }, rename_domain_constraint = { "d", "c", "b" },
  validate_domain_constraint = { "c", "d" }, create_type = { "t", {} }, drop_type = { "t" },
  rename_type = { "t", "u" }, set_type_schema = { "t", "s" }, add_attribute = { "t", { "a", "int" } },
  drop_attribute = { "t", "a" }, alter_attribute = { "t", "a", "int" }, rename_attribute = { "t", "a", "b" },
  create_range_type = { "r", "int" }, drop_range_type = { "r" }, rename_range_type = { "r", "q" },
  set_range_type_schema = { "r", "s" }, create_schema = { "s" }, drop_schema = { "s" },
  create_extension = { "x" }, drop_extension = { "x" }, alter_extension = { "x" }, create_sequence = { "s" },
  drop_sequence = { "s" }, rename_sequence = { "s", "t" }, set_sequence_schema = { "s", "x" },
  alter_sequence = { "s" }, alter_view = { "v" }, alter_function = { "f" }, alter_procedure = { "p" },
  create_aggregate = { "a" }, drop_aggregate = { "a" }, rename_aggregate = { "a", "b" },
  create_publication = { "p" }, alter_publication = { "p" }, drop_publication = { "p" },
  create_server = { "s", "w" }, alter_server = { "s" }, drop_server = { "s" },
  create_user_mapping = { "u", "s" }, drop_user_mapping = { "u", "s" },
  create_cast = { "int", "text" }, drop_cast = { "int", "text" },
}

describe("every operation", function()
  for _, name in ipairs(operation.names()) do
    if not name:find("^spec_") then
      it(name .. " is complete and documented", function()
        local entry = operation.get(name)
        for _, part in ipairs { "build", "sql", "inverse", "lock", "source" } do
          assert.equal("function", type(entry[part]))
        end
        assert.truthy(#entry.summary > 0 and not entry.summary:find("%.$"))
        assert.is_true(meta.described[name])
      end)

      if meta.options[name] then
        it(name .. " has exactly the options that are documented", function()
          assert.equal(sorted(fields_of(meta.options[name], {})), options_of(name, table.unpack(arguments[name])))
        end)
      end
    end
  end

  it("documents no operation that is not there", function()
    for name in pairs(meta.options) do
      assert.truthy(operation.get(name) or name == "invoke" or name == "transaction" or name == "autocommit", name)
    end
  end)

  for class, call in pairs {
    ["moontide.TableItem"] = { "create_table", "t" },
  } do
    it(class .. " documents exactly what there is", function()
      assert.equal(sorted(fields_of(class, {})), options_of(table.unpack(call)))
    end)
  end

  for class, call in pairs {
    ["moontide.EnumItem"] = function(o) return "drop_enum", "e", { existing = { "a", [o] = 1 } } end,
    ["moontide.GrantItem"] = function(o) return "create_schema", "s", { grants = { { "usage", [o] = 1 } } } end,
    ["moontide.DomainItem"] = function(o) return "drop_domain", "d", { existing = { "int", [o] = 1 } } end,
    ["moontide.DomainCheck"] = function(o) return "create_domain", "d", "int", { checks = { { "1", [o] = 1 } } } end,
    ["moontide.DomainState"] = function(o) return "alter_domain", "d", { existing = { [o] = 1 } } end,
    ["moontide.TypeItem"] = function(o) return "drop_type", "t", { existing = { [o] = 1 } } end,
    ["moontide.AttributeItem"] = function(o) return "create_type", "t", { { "a", "int", [o] = 1 } } end,
    ["moontide.ExistingAttribute"] = function(o) return "drop_attribute", "t", "a", { existing = { "x", [o] = 1 } } end,
    ["moontide.RangeTypeItem"] = function(o) return "drop_range_type", "t", { existing = { "int", [o] = 1 } } end,
    ["moontide.OwnedOptions"] = function(o) return "drop_schema", "s", { existing = { [o] = 1 } } end,
    ["moontide.ExtensionOptions"] = function(o) return "drop_extension", "x", { existing = { [o] = 1 } } end,
    ["moontide.ExtensionState"] = function(o) return "alter_extension", "x", { existing = { [o] = 1 } } end,
    ["moontide.SequenceItem"] = function(o) return "drop_sequence", "s", { existing = { [o] = 1 } } end,
    ["moontide.SequenceState"] = function(o) return "alter_sequence", "s", { existing = { [o] = 1 } } end,
    ["moontide.SequenceOwner"] = function(o) return "create_sequence", "s", { owned_by = { [o] = 1 } } end,
  } do
    it(class .. " documents exactly what there is", function()
      local ok, problem = pcall(operation.build, call "a_word_unlike_any_option_at_all")
      assert.is_false(ok)
      assert.equal("The options are: " .. sorted(fields_of(class, {})) .. ".", problem.hint)
    end)
  end

  for class, item in pairs {
    ["moontide.ColumnItem"] = function(o) return { { "a", "int", [o] = 1 } } end,
    ["moontide.UniqueItem"] = function(o) return { { "a", "int" }, unique = { { "a", [o] = 1 } } } end,
    ["moontide.KeyItem"] = function(o) return { { "a", "int" }, primary_key = { "a", [o] = 1 } } end,
    ["moontide.CheckItem"] = function(o) return { { "a", "int" }, checks = { { "a > 0", [o] = 1 } } } end,
    ["moontide.ForeignKeyItem"] = function(o) return { { "a", "int" }, foreign_keys = { { "a", "b", [o] = 1 } } } end,
    ["moontide.ExcludeItem"] = function(o) return { { "a", "int" }, excludes = { { { "a", "=" }, [o] = 1 } } } end,
    ["moontide.ExcludeElement"] = function(o) return { { "a", "int" }, excludes = { { { "a", "=", [o] = 1 } } } } end,
    ["moontide.IndexItem"] = function(o) return { { "a", "int" }, indexes = { { "a", [o] = 1 } } } end,
    ["moontide.IndexElement"] = function(o) return { { "a", "int" }, indexes = { { { "a", [o] = 1 } } } } end,
    ["moontide.ColumnIndex"] = function(o) return { { "a", "int", index = { [o] = 1 } } } end,
    ["moontide.Reference"] = function(o) return { { "a", "int", references = { table = "b", [o] = 1 } } } end,
    ["moontide.Identity"] = function(o) return { { "a", "int", identity = { [o] = 1 } } } end,
    ["moontide.Generated"] = function(o) return { { "a", "int", generated = { "1", [o] = 1 } } } end,
    ["moontide.Like"] = function(o) return { like = { table = "b", [o] = 1 } } end,
    ["moontide.TableName"] = function(o) return { inherits = { { table = "b", [o] = 1 } } } end,
    ["moontide.ObjectName"] = function(o) return { { "a", "text", collation = { name = "C", [o] = 1 } } } end,
  } do
    it(class .. " documents exactly what there is", function()
      local ok, problem = pcall(operation.build, "create_table", "t", item "a_word_unlike_any_option_at_all")
      assert.is_false(ok)
      assert.equal("The options are: " .. sorted(fields_of(class, {})) .. ".", problem.hint)
    end)
  end
end)
