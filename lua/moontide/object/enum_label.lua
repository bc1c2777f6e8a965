--- The labels of enum types: adding, renaming and removing them.
---
--- The server lets nobody use a new label before it is committed. So the transaction
--- of a revision ends after labels were added, when more operations follow.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local enum = require "moontide.object.enum"
local enum_rebuild = require "moontide.object.enum_rebuild"
local lifecycle = require "moontide.object.lifecycle"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"
local source = require "moontide.source"

local function no_lock() return {} end

local function type_name(o)
  return quote.qualified(o.schema, o.name)
end

local function add_sql(o)
  return clause.words("ALTER TYPE", type_name(o), "ADD VALUE", o.if_not_exists and "IF NOT EXISTS",
    quote.literal(o.label), o.before and "BEFORE " .. quote.literal(o.before),
    o.after and "AFTER " .. quote.literal(o.after))
end

local add_shape = {
  schema = check.name, before = enum.label, after = enum.label, if_not_exists = check.flag,
  in_transaction = check.flag,
}

local function build_add(name, label, options)
  local o = check.options(options, add_shape)
  o.name, o.label = check.name(name, "the type name"), enum.label(label, "the label")
  if o.before and o.after then check.refuse("before and after cannot be given together") end
  return o
end

local function find_label(o)
  return ("SELECT FROM pg_enum WHERE enumtypid = to_regtype(%s) AND enumlabel = %s")
    :format(quote.reference(o.schema, o.name), quote.literal(o.label))
end

operation.register {
  name = "add_enum_value",
  summary = "Add a label to an enum type",
  build = build_add,
  sql = function(o) return { add_sql(o) } end,
  inverse = function(o)
    local refusal = lifecycle.unsure(o, "label")
    if refusal then return nil, refusal end
    if o.present then return {} end
    return { operation.build("drop_enum_value", o.name, o.label, { schema = o.schema }) }
  end,
  capture = function(o, query)
    return o.if_not_exists and lifecycle.presence(query(find_label(o))[1]) or nil
  end,
  lock = no_lock,
  after_commit = function(o) return not o.in_transaction end,
  source = function(o) return source.call("add_enum_value", o.name, o.label, clause.pick(o, add_shape)) end,
}

local schema_shape = { schema = check.name }

operation.register {
  name = "rename_enum_value",
  summary = "Rename a label of an enum type",
  build = function(name, label, new_label, options)
    local o = check.options(options, schema_shape)
    o.name, o.label = check.name(name, "the type name"), enum.label(label, "the label")
    o.new_label = enum.label(new_label, "the new label")
    return o
  end,
  sql = function(o)
    return { ("ALTER TYPE %s RENAME VALUE %s TO %s"):format(type_name(o), quote.literal(o.label),
      quote.literal(o.new_label)) }
  end,
  inverse = function(o)
    return { operation.build("rename_enum_value", o.name, o.new_label, o.label, { schema = o.schema }) }
  end,
  lock = no_lock,
  source = function(o)
    return source.call("rename_enum_value", o.name, o.label, o.new_label, clause.pick(o, schema_shape))
  end,
}

local drop_shape = { schema = check.name, replacement = enum.label, existing = enum.labels }

local function capture_labels(o, query)
  return { existing = enum.labels_of(o, query) }
end

-- Where a label stands among others.
local function position_of(label, labels)
  for i, other in ipairs(labels) do
    if other == label then return i end
  end
end

local function build_drop(name, label, options)
  local o = check.options(options, drop_shape)
  o.name, o.label = check.name(name, "the type name"), enum.label(label, "the label")
  if o.replacement == o.label then check.refuse("the replacement is the label itself") end
  if o.existing and not position_of(o.label, o.existing) then
    check.refuse(('existing has no label "%s"'):format(o.label), "Give all labels that the type has before.")
  end
  return o
end

local function add_again(o)
  local place = position_of(o.label, o.existing)
  local options = { schema = o.schema, after = o.existing[place - 1] }
  if place == 1 then options.before = o.existing[2] end
  return { operation.build("add_enum_value", o.name, o.label, options) }
end

operation.register {
  name = "drop_enum_value",
  summary = "Remove a label of an enum type, by building the type and its columns anew",
  build = build_drop,
  sql = function(o) return { enum_rebuild.without(type_name(o), o.label, o.replacement) } end,
  inverse = function(o)
    if not o.existing then
      return nil, ('where the label "%s" stood is not known: give existing, all labels of the type'):format(o.label)
    end
    return add_again(o)
  end,
  capture = capture_labels,
  lock = no_lock,
  source = function(o) return source.call("drop_enum_value", o.name, o.label, clause.pick(o, drop_shape)) end,
}

-- { old = "new" }: what rows with a label that goes away get.
local function read_replacements(given, what)
  local replace = {}
  for label, other in pairs(check.table(given, what, '{ old = "new" }')) do
    enum.label(label, what)
    replace[label] = enum.label(other, ('%s "%s"'):format(what, label))
  end
  return replace
end

local alter_shape = { schema = check.name, replace = read_replacements, existing = enum.labels }

local function add_statements(o)
  local statements, known = {}, {}
  for _, label in ipairs(o.existing) do known[label] = true end
  for i, label in ipairs(o.labels) do
    if not known[label] then
      statements[#statements + 1] = add_sql { name = o.name, schema = o.schema, label = label,
        after = o.labels[i - 1], before = i == 1 and o.existing[1] or nil }
    end
  end
  return statements
end

local function alter_sql(o)
  if o.existing and enum.only_adds(o.existing, o.labels) then return add_statements(o) end
  return { enum_rebuild.labels(type_name(o), o.labels, o.replace) }
end

local function check_replacements(o)
  for label, other in pairs(o.replace or {}) do
    if not position_of(other, o.labels) then
      check.refuse(('option "replace" "%s": "%s" is not among the labels'):format(label, other))
    end
  end
end

operation.register {
  name = "alter_enum",
  summary = "Give an enum type another list of labels",
  build = function(name, labels, options)
    local o = check.options(options, alter_shape)
    o.name, o.labels = check.name(name, "the type name"), enum.labels(labels, "the list of labels")
    check_replacements(o)
    return o
  end,
  sql = alter_sql,
  inverse = function(o)
    if not o.existing then return nil, "the labels there were are not known: give existing, all of them" end
    return { operation.build("alter_enum", o.name, o.existing, { schema = o.schema, existing = o.labels }) }
  end,
  capture = capture_labels,
  lock = no_lock,
  after_commit = function(o) return not o.existing or enum.only_adds(o.existing, o.labels) end,
  source = function(o) return source.required(2, "alter_enum", o.name, o.labels, clause.pick(o, alter_shape)) end,
}
