--- What a backfill means for the disk and for what the server knows of the table: before it, by how much
--- heap and WAL may grow; behind it, how many dead rows are left; and where statistics are
--- far off, that ANALYZE helps.

local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"
local report = require "moontide.report"

local advice = {}

-- Statistics are wrong by more than this factor, and by as many rows, before it is said.
local factor, few = 2, 1000

-- Dead rows worth a VACUUM: as many, and this part of the table.
local dead_part = 0.2

-- WAL for each byte of the heap that is changed, as measured with one index and pages written in full.
local wal_of = { update = 4.5, delete = 2, archive = 3 }

local heap_sql = [[
SELECT coalesce(sum(pg_relation_size(c.oid)), 0)::bigint AS heap,
  coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS known,
  coalesce(sum(CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages::float8
    * (pg_relation_size(c.oid) / b.bytes) ELSE pg_relation_size(c.oid) / 100 END), 0)::bigint AS rows
FROM pg_class c, (SELECT current_setting('block_size')::integer AS bytes) b WHERE c.oid = ANY ('{%s}'::oid[])]]

-- Where no VACUUM has been at work since it began, each changed row has left a dead one at least.
local left_sql = [[
SELECT sum(pg_relation_size(c.oid))::bigint AS heap, coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS known,
  coalesce(sum(r.seen), 0)::bigint AS seen, coalesce(sum(r.changed), 0)::bigint AS changed,
  coalesce(sum(CASE WHEN greatest(s.last_vacuum, s.last_autovacuum) > j.started_at THEN s.n_dead_tup
    ELSE greatest(s.n_dead_tup, r.changed) END), 0)::bigint AS dead
FROM %s j JOIN (SELECT leaf, sum(rows_seen) FILTER (WHERE pass < 2) AS seen, sum(rows_changed) AS changed
    FROM %s WHERE backfill_id = %d GROUP BY leaf) r ON j.id = %d
  JOIN pg_class c ON c.oid = r.leaf LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid]]

--- Bytes as people write them.
---@param bytes number
---@return string
function advice.size(bytes)
  local mb = bytes / 1048576
  if mb >= 10240 then return ("%.0f GB"):format(mb / 1024) end
  return mb >= 10 and ("%.0f MB"):format(mb) or ("%.1f MB"):format(mb)
end

local function far_off(known, rows)
  return math.abs(known - rows) >= few and (known > factor * rows or rows > factor * known)
end

local function stale(name, known, rows, about)
  return ("the statistics of %s know %d rows, where there are %s %d; ANALYZE %s mends that"):format(name, known,
    about, rows, name)
end

--- What is to be said before a backfill. Pure.
---@param o table
---@param name string  of the table, as SQL
---@param facts { heap: integer, known: integer, rows: integer, part: number }  part: of the rows that will change
---@return string[]
function advice.before(o, name, facts)
  local changed = facts.heap * facts.part
  local wal = "about " .. advice.size(changed * wal_of[o.into and "archive" or o.delete and "delete" or "update"])
  local words = o.delete and ("%s stays at %s until a VACUUM, WAL: %s"):format(name, advice.size(facts.heap), wal)
    or ("%s may grow from %s by %s, WAL: %s"):format(name, advice.size(facts.heap), advice.size(changed), wal)
  return { words, far_off(facts.known, facts.rows) and stale(name, facts.known, facts.rows, "about") or nil }
end

-- With a condition the rows of a last chunk are not counted, so only more rows than the statistics know say anything.
local function is_stale(o, facts, rows)
  return far_off(facts.known, rows) and (not o.condition or rows > facts.known)
end

--- What is to be said behind it. Pure.
---@param o table
---@param name string
---@param facts { heap: integer, known: integer, seen: integer, changed: integer, dead: integer }
---@return string[]
function advice.after(o, name, facts)
  local rows = facts.seen - (o.delete and facts.changed or 0)
  if facts.dead >= few and facts.dead > dead_part * math.max(rows, facts.known) then
    return { ("about %d dead rows are left in %s (%s); VACUUM (ANALYZE) %s lets their space be used again"):format(
      facts.dead, name, advice.size(facts.heap), name) }
  end
  return { is_stale(o, facts, rows) and stale(name, facts.known, rows, "at least") or nil }
end

-- About as many rows are looked at.
local sampled = 10000

-- The part of the rows that will change, of a sample: the statistics know nothing of a column that is new.
local function part_of(db, o, leaves, rows)
  if not o.condition then return 1 end
  local percent, some, all = math.min(100, 100 * sampled / math.max(rows, 1)), 0, 0
  for _, leaf in ipairs(leaves) do
    local row = db:exec(("SELECT count(*) FILTER (WHERE %s) AS some, count(*) AS looked_at FROM ONLY %s AS %s "
      .. "TABLESAMPLE SYSTEM (%.6g) REPEATABLE (1)"):format(o.condition, leaf.name, quote.ident(o.table), percent))[1]
    some, all = some + row.some, all + row.looked_at
  end
  return some / math.max(all, 1)
end

local function say(o, lines)
  for _, line in ipairs(lines) do report.info(("backfill %s: %s"):format(o.name, line)) end
end

local function oids(leaves)
  local list = {}
  for index, leaf in ipairs(leaves) do list[index] = leaf.oid end
  return table.concat(list, ",")
end

--- Say it before a backfill.
---@param db moontide.Db
---@param o table
---@param leaves moontide.BackfillLeaf[]
function advice.give_before(db, o, leaves)
  local facts = db:exec(heap_sql:format(oids(leaves)))[1]
  facts.part = part_of(db, o, leaves, facts.rows)
  say(o, advice.before(o, quote.qualified(o.schema, o.table), facts))
end

--- Say it behind a backfill; that it cannot be found out is no failure.
---@param run moontide.BackfillRun
function advice.give_after(run)
  local own = run.books
  local ok, rows = pcall(run.db.exec, run.db, left_sql:format(own.job, own.range, run.id, run.id))
  if not ok and fault.of(rows).kind ~= "server" then error(rows, 0) end
  if ok and rows[1].heap then say(run.o, advice.after(run.o, quote.qualified(run.o.schema, run.o.table), rows[1])) end
end

return advice
