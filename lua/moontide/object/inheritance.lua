--- Children of tables that are not partitioned.

local alter = require "moontide.object.alter"
local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"

local shape = { schema = check.name, parent_schema = check.name }

local function parent(o) return quote.qualified(o.parent_schema or o.schema, o.parent) end

local function add_lock(o)
  local list = alter.lock(o)
  list[2] = { relation = parent(o), mode = "SHARE UPDATE EXCLUSIVE" }
  return list
end

local function register(name, other, words, summary, lock)
  alter.register {
    name = name, summary = summary, position = 1, lock = lock,
    build = function(relation, of, options)
      local o = check.options(options, shape)
      o.table, o.parent = check.name(relation, "the table name"), check.name(of, "the parent's name")
      return o
    end,
    clauses = function(o) return { words .. " " .. parent(o) } end,
    inverse = function(o) return { operation.build(other, o.table, o.parent, clause.pick(o, shape)) } end,
    arguments = function(o) return o.table, o.parent, clause.pick(o, shape) end,
  }
end

register("inherit", "no_inherit", "INHERIT", "Make a table a child of another", add_lock)
register("no_inherit", "inherit", "NO INHERIT", "Make a child a table of its own")
