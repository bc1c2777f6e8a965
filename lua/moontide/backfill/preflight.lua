--- What is looked at before the first chunk: things that would make a backfill pass rows
--- over or change them twice are refused, what fires for each row is said.

local key = require "moontide.backfill.key"
local order = require "moontide.backfill.order"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"
local rowfault = require "moontide.backfill.rowfault"
local strategy = require "moontide.backfill.strategy"
local triggers = require "moontide.backfill.triggers"
local write = require "moontide.backfill.write"

local preflight = {}

-- Rows that are tried.
local sample = 20

local function check_policies(db, o, leaf)
  local row = db:exec(("SELECT row_security_active(%d) AS active, current_user AS role"):format(leaf.oid))[1]
  if not row.active then return end
  order.refuse(o, ("row level security hides rows of %s from %s"):format(leaf.name, row.role),
    { hint = "Run it as the owner of the table or as a role with BYPASSRLS." })
end

local function check_quarantine(o, leaf)
  if o.on_error ~= "quarantine" or leaf.unique and not leaf.nulls then return end
  order.refuse(o, ("rows of %s cannot be put aside, since nothing unique finds them again"):format(leaf.name),
    { hint = 'Go by a unique index of NOT NULL columns, or leave on_error at "stop".' })
end

local function sampled(o, leaf)
  local alias = quote.ident(o.table)
  return setmetatable({ range = ("%s.ctid = ANY (ARRAY(SELECT ctid FROM ONLY %s AS %s WHERE (%s)%s LIMIT %d))"):format(
    alias, leaf.name, alias, o.condition, key.only(leaf, o.table), sample) }, { __index = leaf })
end

-- Rows of the sample that match the condition after they were changed.
local function still_matching(db, o, leaf)
  local own = sampled(o, leaf)
  if not o.write then
    return db:exec(write.plain(o, own, {}, "count(*) FILTER (WHERE still) AS still"))[1].still
  end
  local spec = setmetatable({ leaves = { leaf } }, { __index = o })
  local lane = { pipeline = function(_, list) return db:pipeline(list) end }
  local list, changed = require("moontide.backfill.transform").new(spec, db):chunk({ lane = lane, leaf = own }, {})
  if changed == 0 then return 0 end
  db:pipeline { list[1] }
  return db:exec("SELECT current_setting('moontide.backfill_still')::integer AS still")[1].still
end

-- A row that cannot be changed is found when its turn comes.
local function tried(db, o, leaf)
  db:exec "SAVEPOINT moontide_sample"
  local ok, answer = pcall(still_matching, db, o, leaf)
  db:exec "ROLLBACK TO SAVEPOINT moontide_sample"
  if ok then return answer end
  if not rowfault.is(answer) then error(answer, 0) end
  return 0
end

-- Where a row may be met again it must be known by the condition that it was changed.
local function check_condition(db, o, leaf)
  if o.delete then return end
  for _, way in ipairs(order.variants(leaf)) do
    if strategy.of(way).strict and tried(db, o, way) > 0 then
      order.refuse(o, "rows match its condition still after they were changed", {
        detail = ("%s is gone through %s, where a changed row may be met again"):format(leaf.name,
          strategy.of(way).summary),
        hint = "Give a `where` that a changed row does not match any more, or go by a key.",
      })
    end
  end
end

--- Look at the tables of a backfill. A transaction is open.
---@param db moontide.Db
---@param o table
---@param leaves moontide.BackfillLeaf[]
function preflight.check(db, o, leaves)
  for _, leaf in ipairs(leaves) do
    check_policies(db, o, leaf)
    check_quarantine(o, leaf)
    check_condition(db, o, leaf)
    leaf.collation = preflight.collation(db, leaf)
  end
  local firing = #leaves > 0 and triggers.words(db, o, leaves)
  if firing then report.info(("backfill %s: %s"):format(o.name, firing)) end
end

local collation_sql = [[
SELECT string_agg(a.attname || ' ' || CASE WHEN a.attcollation = 'pg_catalog."default"'::regcollation THEN %s
  ELSE pg_collation_actual_version(a.attcollation) END, ', ' ORDER BY a.attname) AS versions
FROM pg_attribute a WHERE a.attrelid = %d AND a.attcollation <> 0 AND a.attname = ANY (ARRAY[%s]::text[])]]

-- Before 15 the version of the database's own order is not known.
local function default_version(db)
  if db:server_version() < 150000 then return "NULL" end
  return "(SELECT pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database())"
end

--- The versions of the orders of the texts in a key; nil where there are none.
---@param db moontide.Db
---@param leaf moontide.BackfillLeaf
---@return string?
function preflight.collation(db, leaf)
  local names = {}
  for index, column in ipairs(leaf.key) do names[index] = quote.literal(column.name) end
  return db:exec(collation_sql:format(default_version(db), leaf.oid, table.concat(names, ", ")))[1].versions
end

--- Look again before a job goes on: where texts are in another order than when it began, its bounds mean other rows;
--- and `on_error` may be another one now.
---@param db moontide.Db
---@param o table
---@param leaves moontide.BackfillLeaf[]
function preflight.again(db, o, leaves)
  for _, leaf in ipairs(leaves) do
    check_quarantine(o, leaf)
    local now = leaf.collation and preflight.collation(db, leaf)
    if now and now ~= leaf.collation then
      order.refuse(o, ("the texts in the key of %s are in another order than when it began"):format(leaf.name), {
        detail = ("then: %s\nnow: %s"):format(leaf.collation, now),
        hint = ("Rebuild the index; `moontide backfill resume %s --restart` begins anew."):format(o.name),
      })
    end
  end
end

return preflight
