--- Partitions online. A check on the table that says what the partition will hold,
--- validated while everybody goes on working, spares ATTACH reading the table; one on
--- the default partition, that it holds nothing of it, spares reading that.

local constraint = require "moontide.online.constraint"
local plan = require "moontide.online.plan"
local probe = require "moontide.online.probe"
local quote = require "moontide.sql.quote"

local partition = {}

-- The server itself says what a partition with these bounds holds: of an empty table that is partitioned like the
-- parent. A default partition holds what the others do not, so the model gets those, too. The condition of a hash
-- partition names its parent by number; a parent that is a partition itself has a condition of its own.
local block = [[
DECLARE
  parent CONSTANT oid := to_regclass(@PARENT@); child CONSTANT oid := to_regclass(@CHILD@);
  model oid; item record; holds text; outer_holds text;
BEGIN
  PERFORM set_config('client_min_messages', 'warning', true);
  INSERT INTO pg_temp.moontide_plan (step, name) SELECT 'problem', message FROM (
    SELECT @PARENT@ || ' is not a partitioned table' WHERE NOT EXISTS (SELECT FROM pg_class
      WHERE oid = parent AND relkind = 'p')
    UNION ALL SELECT 'there is no table ' || @CHILD@ WHERE child IS NULL) p(message);
  IF FOUND THEN RETURN; END IF;
  EXECUTE format('CREATE TEMPORARY TABLE moontide_parent (LIKE %s) PARTITION BY %s', @PARENT@,
    pg_get_partkeydef(parent));
  model := to_regclass('pg_temp.moontide_parent');
  FOR item IN SELECT c.oid, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = parent AND c.oid <> child AND @DEFAULT@ LOOP
    EXECUTE format('CREATE TEMPORARY TABLE %I PARTITION OF pg_temp.moontide_parent %s', 'moontide_' || item.oid,
      item.bound);
  END LOOP;
  EXECUTE 'CREATE TEMPORARY TABLE moontide_partition PARTITION OF pg_temp.moontide_parent ' || @BOUND@;
  holds := replace(pg_get_partition_constraintdef(to_regclass('pg_temp.moontide_partition')),
    quote_literal(model) || '::oid', quote_literal(parent) || '::oid');
  outer_holds := pg_get_partition_constraintdef(parent);
  DROP TABLE pg_temp.moontide_parent;
  FOR item IN
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, format('moontide_%s_online_check', c.oid) AS con,
      CASE WHEN c.oid = child THEN concat_ws(' AND ', '(' || holds || ')', '(' || outer_holds || ')')
        ELSE 'NOT (' || holds || ')' END AS expression
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid IN (child, (SELECT nullif(partdefid, 0) FROM pg_partitioned_table WHERE partrelid = parent))
      AND (NOT @DEFAULT@ OR c.oid = child) ORDER BY c.oid <> child
  LOOP
    CONTINUE WHEN item.expression = '';
    INSERT INTO pg_temp.moontide_plan (step, sql, done) SELECT step, format(text, item.name, item.con, item.expression),
      format('SELECT %s OR EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(%L) AND conname = %L%s) '
        'AS done', @DONE@, item.name, item.con, more) FROM (VALUES
      (1, 'check', 'ALTER TABLE %1$s ADD CONSTRAINT %2$I CHECK (%3$s) NOT VALID', ''),
      (2, 'check', 'ALTER TABLE %1$s VALIDATE CONSTRAINT %2$I', ' AND convalidated')) v(rank, step, text, more)
      ORDER BY rank;
    INSERT INTO pg_temp.moontide_plan (step, sql)
      VALUES ('drop', format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', item.name, item.con));
  END LOOP;
  INSERT INTO pg_temp.moontide_plan (step, sql)
    VALUES ('attach', format('ALTER TABLE %s ATTACH PARTITION %s %s', @PARENT@, @CHILD@, @BOUND@));
  INSERT INTO pg_temp.moontide_plan (step, sql)
    SELECT 'attach', sql FROM pg_temp.moontide_plan WHERE step = 'drop' ORDER BY no;
END
]]

local inherits = "EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(%s) AND inhparent = to_regclass(%s))"

---@class moontide.Attachment
---@field parent string     as SQL
---@field child string      as SQL
---@field bound string      FOR VALUES ..., or DEFAULT
---@field default boolean   it is the default partition

--- The steps of attach_partition.
---@param o moontide.Operation
---@param what moontide.Attachment
---@param ctx { offline: boolean? }
---@return moontide.Step[]
function partition.attach(o, what, ctx)
  local done = inherits:format(quote.literal(what.child), quote.literal(what.parent))
  return plan.steps(o, plan.block(block, {
    PARENT = quote.literal(what.parent), CHILD = quote.literal(what.child), BOUND = quote.literal(what.bound),
    DEFAULT = tostring(what.default), DONE = quote.literal(done),
  }), {
    { rows = "check", as = "each", failed = constraint.explain },
    { rows = "attach", as = "together", done = probe.all(done) },
  }, ctx)
end

local has_default = "EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(%s) AND partdefid <> 0)"

-- Where there is a default partition, PostgreSQL cannot detach another concurrently; before 14 it never can.
local function at_once(parent)
  return ("(current_setting('server_version_num')::integer < 140000 OR %s)")
    :format(has_default:format(quote.literal(parent)))
end

--- Whether a partition has to be detached by a statement that is in a transaction.
---@param parent string  as SQL
---@param ask? fun(sql: string): table
---@return boolean
function partition.is_plain(parent, ask)
  local row = ask and ask(probe.all(at_once(parent)))[1]
  return row ~= nil and row.done
end

--- The statements of a script that detach a partition, in one way or the other.
---@param parent string  as SQL
---@param sql string
---@return moontide.Step[]
function partition.detach_script(parent, sql)
  local condition = at_once(parent)
  return { { alone = true, statements = {
    plan.guarded(sql .. " CONCURRENTLY", "NOT " .. condition), plan.guarded(sql, condition),
  } } }
end

return partition
