--- Exclusion constraints.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local constraint = require "moontide.object.constraint"
local default_name = require "moontide.object.name"
local element = require "moontide.object.element"
local quote = require "moontide.sql.quote"
local value = require "moontide.value"

local common = check.join(constraint.deferrable, {
  using = check.name, where = check.expression, include = check.names, with = check.parameters, tablespace = check.name,
})
local item_shape = check.join(common, { name = check.name })
local operation_shape = check.join(common, { schema = check.name })

local function read_operator(given, what)
  if given == nil then check.expected(what .. " operator", 'an operator such as "&&"', nil) end
  return clause.operator(given, what, 'Write { "column", "operator" }, such as { "room", "=" }.')
end

-- An element { "column" or sql "...", "operator", opclass = ... }.
local function read_element(given, what)
  if value.kind(given) ~= "table" then check.expected(what, "{ column, operator }", given) end
  local without = {}
  for key, field in pairs(given) do
    if key ~= 2 then without[key] = field end
  end
  local e = element.read(without, what)
  e.operator = read_operator(given[2], what)
  return e
end

local function read_elements(given, what)
  local elements = check.list_of(read_element)(given, what)
  if #elements == 0 then check.refuse(what .. " must not be empty") end
  return elements
end

-- `where` of an operation's value is its place in the file; the predicate has its own field.
local function settle(c, given)
  constraint.check_deferrable(given or {})
  c.predicate, c.where = c.where, nil
  return c
end

local function options_of(c, shape)
  local options = clause.pick(c, shape)
  options.where = c.predicate
  return options
end

local function text(c)
  local parts = {}
  for i, e in ipairs(c.columns) do parts[i] = element.sql(e) .. " WITH " .. e.operator end
  return clause.words("EXCLUDE", c.using and "USING " .. quote.ident(c.using), "(" .. table.concat(parts, ", ") .. ")",
    c.include and "INCLUDE " .. clause.columns(c.include), c.with and "WITH " .. clause.parameters(c.with),
    c.tablespace and "USING INDEX TABLESPACE " .. quote.ident(c.tablespace),
    c.predicate and "WHERE (" .. c.predicate .. ")", constraint.timing(c))
end

constraint.kinds.exclude = {
  operation = "create_exclude_constraint",
  read = function(given, what)
    check.table(given, what, "a list of { column, operator }")
    local c = settle(check.shape(given, what, item_shape, #given), given)
    c.columns = read_elements(table.move(given, 1, #given, 1, {}), what .. " elements")
    return c
  end,
  write = function(c)
    local list = element.write_list(c.columns)
    return table.move(list, 1, #list, 1, options_of(c, item_shape))
  end,
  text = text,
  name = function(relation, c)
    local names = element.names(c.columns, c.include)
    if names then return default_name.exclude(relation, names) end
    return nil, "PostgreSQL names an exclusion of an expression itself: give it a name as the first argument"
  end,
}

constraint.register("exclude", {
  name = "create_exclude_constraint",
  summary = "Add an exclusion constraint",
  build = function(name, relation, elements, options)
    local o = settle(check.options(options, operation_shape), options)
    o.name = name ~= nil and check.name(name, "the constraint name") or nil
    o.table, o.columns = check.name(relation, "the table name"), read_elements(elements, "the list of elements")
    return o
  end,
  arguments = function(o)
    return o.name, o.table, element.write_list(o.columns), options_of(o, operation_shape)
  end,
})

return constraint.kinds.exclude
