--- The tables that hold the rows of a running job. They may change while it runs:
--- attached ones are learned, renamed ones found again, dropped ones done with.

local report = require "moontide.report"
local serialize = require "moontide.serialize"

local tree = {}

--- What is kept of a job beside its operation.
---@param spec table
---@return { leaves: moontide.BackfillLeaf[], columns: string[]?, told: string?, wal: string? }
function tree.kept(spec)
  return { leaves = spec.leaves, columns = spec.columns, told = spec.told, wal = spec.wal }
end

--- Note which tables a run knows.
---@param run moontide.BackfillRun
function tree.index(run)
  run.by_oid = {}
  for _, leaf in ipairs(run.spec.leaves) do
    run.by_oid[leaf.oid] = leaf
    if run.transform and not run.transform:knows(leaf) then run.transform:learn(leaf, run.db) end
  end
end

--- Take the tables that are known by now, others may have found some.
---@param run moontide.BackfillRun
---@param spec string  as the row of the job has it
function tree.take(run, spec)
  run.spec.leaves = serialize.decode(spec).leaves
  tree.index(run)
end

--- Look for them.
---@param run moontide.BackfillRun
function tree.reload(run)
  tree.take(run, run.db:exec(("SELECT spec FROM %s WHERE id = %d"):format(run.books.job, run.id))[1].spec)
end

--- Take new tables.
---@param run moontide.BackfillRun
---@param leaves moontide.BackfillLeaf[]
---@return table found  what is kept of the job
function tree.learn(run, leaves)
  for _, leaf in ipairs(leaves) do
    report.info(("backfill %s: %s has become a part of the table"):format(run.o.name, leaf.name))
    table.insert(run.spec.leaves, leaf)
  end
  tree.index(run)
  return tree.kept(run.spec)
end

local name_sql = "SELECT format('%%I.%%I', n.nspname, c.relname) AS name FROM pg_class c "
  .. "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %d"

local function drop(run, leaf)
  report.info(("backfill %s: %s was dropped"):format(run.o.name, leaf.name))
  run.db:exec(("UPDATE %s SET done = true, worker = 'dropped' WHERE backfill_id = %d AND leaf = %d AND NOT done")
    :format(run.books.range, run.id, leaf.oid))
end

--- Find a table again that is not under its name any more.
---@param run moontide.BackfillRun
---@param leaf moontide.BackfillLeaf
---@return boolean  whether to go on
function tree.find(run, leaf)
  local row = run.db:exec(name_sql:format(leaf.oid))[1]
  if not row then
    drop(run, leaf)
    return true
  end
  local moved = row.name ~= leaf.name
  leaf.name = row.name
  return moved
end

return tree
