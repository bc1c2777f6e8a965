--- Names for constraints and indexes that have none, by the rules of env.lua, with the
--- tokens of SQLAlchemy's naming conventions. Pure.
---
--- A rule with %(constraint_name)s is for constraints that have a name: it is made a
--- part of the new one. A rule may be a function, which answers a name or nil.

local fault = require "moontide.fault"
local md5 = require "moontide.md5"

local naming = {}

---@class moontide.Unnamed
---@field table string
---@field schema? string
---@field columns string[]
---@field referred_table? string
---@field referred_columns? string[]
---@field name? string

local kinds = { ix = true, uq = true, ck = true, fk = true, pk = true, ex = true }

local longest = 63

-- SQLAlchemy's way: eight less than there is room for, and four digits of the whole name's MD5.
local function shortened(name)
  if #name <= longest then return name end
  local cut = longest - 8
  while cut > 0 and name:byte(cut + 1) & 0xC0 == 0x80 do cut = cut - 1 end
  return name:sub(1, cut) .. "_" .. md5.hex(name):sub(-4)
end

-- Tokens -----------------------------------------------------------------------

-- "column_0_name", "column_1_label", "referred_column_0_name", "column_0N_name" (all of them), "column_0_N_name"
-- (all, with underscores).
local function column_token(token, c)
  local columns, rest = c.columns, token
  if token:find("^referred_column_") then
    columns, rest = c.referred_columns or {}, token:sub(#"referred_" + 1)
  end
  local glue, form = rest:match("^column_0(_?)N_(%l+)$")
  if form then return table.concat(columns, glue) end
  local index
  index, form = rest:match("^column_(%d+)_(%l+)$")
  local column = index and columns[index + 1]
  if not column then return nil end
  return form == "label" and c.table .. "_" .. column or column
end

local function token_value(token, c)
  if token == "table_name" then return c.table end
  if token == "referred_table_name" then return c.referred_table end
  if token == "constraint_name" then return c.name end
  return column_token(token, c)
end

local function is_known(token)
  local form = token:match("^column_%d+_(%l+)$") or token:match("^referred_column_%d+_(%l+)$")
    or token:match("^column_0_?N_(%l+)$") or token:match("^referred_column_0_?N_(%l+)$")
  return token == "table_name" or token == "referred_table_name" or token == "constraint_name"
    or form == "name" or form == "label" or form == "key"
end

--- What is wrong with rules as env.lua has them; nil when nothing is.
---@param rules any
---@return string? expected
function naming.problem(rules)
  if type(rules) ~= "table" then return "a table of rules by ix, uq, ck, fk, pk and ex" end
  for kind, rule in pairs(rules) do
    if not kinds[kind] then
      return ('rules by ix, uq, ck, fk, pk and ex; "%s" is none of them'):format(tostring(kind))
    end
    if type(rule) ~= "string" and type(rule) ~= "function" then return "rules that are texts or functions" end
    for token in (type(rule) == "string" and rule or ""):gmatch("%%%((.-)%)s") do
      if not is_known(token) then return ("rules with known tokens; %%(%s)s is not"):format(token) end
    end
  end
  return nil
end

local function refuse_unnamed(kind)
  fault.raise("operation", ("the naming rule %s needs a name, and there is none"):format(kind), {
    hint = "Give the constraint a name; the rule has %(constraint_name)s.",
  })
end

-- Nil where a token has no value, as that of a second column where there is one.
local function filled(rule, c)
  local complete = true
  local name = rule:gsub("%%%((.-)%)s", function(token)
    local value = token_value(token, c)
    complete = complete and value ~= nil
    return value
  end)
  return complete and name or nil
end

-- Whether a name is what the rule has made already, as in a generated revision or in models that `reflect` printed.
local function is_made(rule, c)
  local before, after = rule:match("^(.*)%%%(constraint_name%)s(.*)$")
  before, after = filled(before, c), filled(after, c)
  if not before or not after or #c.name <= #before + #after or c.name:sub(1, #before) ~= before then return false end
  return c.name:sub(#c.name - #after + 1) == after or #c.name >= longest - 3
end

local function by_rule(kind, rule, c)
  if type(rule) == "function" then return rule(c) or c.name end
  local wants_name = rule:find("%(constraint_name)s", 1, true) ~= nil
  if c.name and not wants_name then return c.name end
  if not c.name and wants_name then refuse_unnamed(kind) end
  if c.name and is_made(rule, c) then return c.name end
  return filled(rule, c) or c.name
end

-- The name of a constraint or index: the new one where a rule gives one.
local function name_of(rules, kind, c)
  local rule = rules[kind]
  if not rule then return c.name end
  local name = by_rule(kind, rule, c)
  return name ~= c.name and name and shortened(name) or c.name
end

-- Operations -------------------------------------------------------------------

-- What an expression is called: its words, lower_email for lower(email); one that is no call ends in expr.
local function expression_name(text)
  local words = {}
  for word in text:gsub("'[^']*'", " "):gmatch("[%a_\128-\255][%w_\128-\255]*") do words[#words + 1] = word:lower() end
  if not text:find("^%s*[%w_.]+%s*%b()%s*$") then words[#words + 1] = "expr" end
  return table.concat(words, "_")
end

-- Columns of an index, and names for its expressions.
local function element_names(elements)
  local names = {}
  for index, element in ipairs(elements) do names[index] = element.name or expression_name(element.expression) end
  return names
end

local function give(rules, kind, item, place, more)
  local c = { table = place.table, schema = place.schema, columns = item.columns or {}, name = item.name }
  for key, value in pairs(more or {}) do c[key] = value end
  item.name = name_of(rules, kind, c)
end

local function name_index(rules, item, place)
  give(rules, "ix", item, place, { columns = element_names(item.columns) })
end

local function name_foreign_key(rules, item, place)
  give(rules, "fk", item, place, { referred_table = item.referent, referred_columns = item.referenced })
end

local function name_exclude(rules, item, place)
  give(rules, "ex", item, place, { columns = element_names(item.elements or item.columns or {}) })
end

local function name_column(rules, column, place)
  local own = { columns = { column.name } }
  if column.unique then give(rules, "uq", column.unique, place, own) end
  if column.check then give(rules, "ck", column.check, place, own) end
  if column.index then give(rules, "ix", column.index, place, own) end
  local reference = column.references
  if reference then
    own.referred_table, own.referred_columns = reference.table, { reference.column }
    give(rules, "fk", reference, place, own)
  end
end

-- A key that columns are marked with has no place for a name, so it becomes one of the table.
local function name_marked_key(rules, o, place)
  local columns = {}
  for _, column in ipairs(o.columns) do
    if column.primary_key then columns[#columns + 1] = column.name end
  end
  if #columns == 0 or not rules.pk then return end
  local key = { columns = columns }
  give(rules, "pk", key, place)
  if not key.name then return end
  for _, column in ipairs(o.columns) do column.primary_key = nil end
  o.primary_key = key
end

local lists = {
  unique = function(rules, item, place) give(rules, "uq", item, place) end,
  checks = function(rules, item, place) give(rules, "ck", item, place) end,
  foreign_keys = name_foreign_key, excludes = name_exclude, indexes = name_index,
}

local function name_table(rules, o)
  local place = { table = o.name, schema = o.schema }
  if o.primary_key then give(rules, "pk", o.primary_key, place) else name_marked_key(rules, o, place) end
  for _, column in ipairs(o.columns) do name_column(rules, column, place) end
  for list, name_item in pairs(lists) do
    for _, item in ipairs(o[list] or {}) do name_item(rules, item, place) end
  end
end

local by_kind = {
  create_table = name_table,
  add_column = function(rules, o) name_column(rules, o.column, o) end,
  create_index = function(rules, o) name_index(rules, o, o) end,
  create_unique_constraint = function(rules, o) give(rules, "uq", o, o) end,
  create_primary_key = function(rules, o) give(rules, "pk", o, o) end,
  create_check_constraint = function(rules, o) give(rules, "ck", o, o) end,
  create_foreign_key = function(rules, o) name_foreign_key(rules, o, o) end,
  create_exclude_constraint = function(rules, o) name_exclude(rules, o, o) end,
}

function by_kind.alter_table(rules, o)
  for _, child in ipairs(o.actions) do naming.apply(rules, child) end
end

--- Give names to what an operation creates.
---@param rules table<string, string|fun(c: moontide.Unnamed): string?>
---@param o moontide.Operation
function naming.apply(rules, o)
  local apply = by_kind[o.kind]
  if apply then apply(rules, o) end
end

return naming
