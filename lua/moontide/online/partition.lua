--- Attaching a partition online. A check on the table that says what the partition
--- will hold, validated while everybody goes on working, spares ATTACH reading the
--- table; one on the default partition, that it holds nothing of it, spares reading that.

local alter = require "moontide.object.alter"
local constraint = require "moontide.online.constraint"
local default_name = require "moontide.object.name"
local fault = require "moontide.fault"
local probe = require "moontide.online.probe"
local quote = require "moontide.sql.quote"
local step = require "moontide.online.step"

local partition = {}

local describe = [[
SELECT p.partrelid::int8 AS oid, pg_get_partkeydef(p.partrelid) AS key, n.nspname AS schema, c.relname AS "default"
FROM pg_partitioned_table p LEFT JOIN pg_class c ON c.oid = p.partdefid
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.partrelid = %s]]

-- The server itself says what a partition with these bounds holds: of an empty table
-- that is partitioned like the parent and is gone when the transaction ends.
local model = {
  "CREATE TEMPORARY TABLE moontide_parent (LIKE %s) PARTITION BY %s ON COMMIT DROP",
  "CREATE TEMPORARY TABLE moontide_partition PARTITION OF pg_temp.moontide_parent %s ON COMMIT DROP",
  [[SELECT 'pg_temp.moontide_parent'::regclass::int8 AS oid,
       pg_get_partition_constraintdef('pg_temp.moontide_partition'::regclass) AS holds]],
}

local function not_partitioned(parent)
  fault.raise("operation", ("%s is not a partitioned table"):format(parent))
end

-- The condition of a hash partition names its parent by number.
local function condition(ask, parent, found, bound)
  ask(model[1]:format(parent, found.key))
  ask(model[2]:format(bound))
  local row = ask(model[3])[1]
  return (row.holds:gsub("'" .. row.oid .. "'::oid", "'" .. found.oid .. "'::oid"))
end

local function name_of(child) return default_name.make(child.table, nil, "online_check") end

local function drop_check(child)
  return alter.statements(child.schema, child.table, { "DROP CONSTRAINT IF EXISTS " .. quote.ident(name_of(child)) })[1]
end

local function add_check(steps, child, expression, done)
  local name = name_of(child)
  local add = ("ADD CONSTRAINT %s CHECK (%s) NOT VALID"):format(quote.ident(name), expression)
  local exists = probe.constraint(child.schema, child.table, name)
  steps[#steps + 1] = step.transaction(alter.statements(child.schema, child.table, { add }), probe.any(exists, done))
  steps[#steps + 1] = constraint.validation(child, name, done)
end

local attach = "ALTER TABLE %s ATTACH PARTITION %s %s"
local inherits = "EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(%s) AND inhparent = to_regclass(%s))"

local function steps_of(parent, child, bound, ask)
  local found = ask(describe:format(("to_regclass(%s)"):format(quote.literal(parent))))[1] or not_partitioned(parent)
  local holds = condition(ask, parent, found, bound)
  local done = inherits:format(quote.literal(quote.qualified(child.schema, child.table)), quote.literal(parent))
  local steps = {}
  local last = { attach:format(parent, quote.qualified(child.schema, child.table), bound), drop_check(child) }
  add_check(steps, child, holds, done)
  if found.default then
    local default = { schema = found.schema, table = found.default }
    add_check(steps, default, "NOT (" .. holds .. ")", done)
    last[3] = drop_check(default)
  end
  steps[#steps + 1] = step.transaction(last, probe.all(done))
  return steps
end

--- The steps of attach_partition.
---@param parent string  as SQL
---@param child { schema: string?, table: string }
---@param bound string   FOR VALUES ...
---@return moontide.Step[]
function partition.attach(parent, child, bound)
  return { { more = function(ask) return steps_of(parent, child, bound, ask) end } }
end

return partition
