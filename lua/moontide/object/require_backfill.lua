--- op.require_backfill: a revision that stands on rows which a backfill in the background changes.

local check = require "moontide.check"
local clause = require "moontide.object.clause"
local operation = require "moontide.operation"
local source = require "moontide.source"

local shape = {
  revision = check.text, otherwise = check.choice("wait", "run"), missing = check.choice("pass"),
}

local function build(name, options)
  local o = check.shape(options or {}, nil, shape)
  o.name = check.text(name, "the name")
  return o
end

local function required() return require "moontide.backfill.requirement" end

-- Where it is waited for or worked on, that is not done in the middle of a transaction.
local function prepare(o, query, schema)
  if o.otherwise then return nil end
  required().check(o, { exec = function(_, sql) return query(sql) end }, schema)
end

operation.register {
  from = "lua/moontide/object",
  name = "require_backfill",
  summary = "Go on only when a backfill is done",
  build = build,
  sql = function(o, ctx) return { require("moontide.backfill.background").check_statement(o, ctx) } end,
  inverse = function() return {} end,
  lock = function() return {} end,
  transactional = function(o) return o.otherwise == nil end,
  prepare = prepare,
  job = {
    begin = function() return {} end,
    run = function(o, place) return required().run(o, place) end,
    rehearse = function(o, place) return required().rehearse(o, place) end,
  },
  source = function(o) return source.call("require_backfill", o.name, clause.pick(o, shape)) end,
}
