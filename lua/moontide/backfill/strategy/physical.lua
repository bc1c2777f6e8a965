--- In the order in which rows are stored. A row that is changed moves, and may be met again
--- further on, so this needs a condition that a changed row does not match any more.

local order = require "moontide.backfill.order"

local function refuse_keyless(o, leaf)
  order.refuse(o, ("table %s has no key to go through it by"):format(leaf.name), {
    detail = "a key is a primary key, or an index of NOT NULL columns without expression or condition",
    hint = "Name columns with an index: key = { \"created_at\" }. Without a key rows can only be changed in the "
      .. "order in which they are stored, which needs a `where` that a changed row does not match any more.",
  })
end

local function choose(db, o, leaf)
  if not (o.condition or o.delete) then refuse_keyless(o, leaf) end
  local row = db:exec(("SELECT current_setting('block_size')::integer AS bytes, "
    .. "pg_relation_size(%d) / current_setting('block_size')::integer AS blocks"):format(leaf.oid))[1]
  local density = math.max(1, leaf.rows // math.max(row.blocks, 1))
  leaf.strategy, leaf.key, leaf.unique = "physical", { { name = "ctid", type = "tid" } }, nil
  leaf.data = { density = density, slots = row.bytes // 28 }
end

local function block_of(bound) return math.tointeger(bound[1]:match "%((%d+),") end

-- A bound is an address, so nothing need be read to find the next: whole blocks, or, for few rows, a part of one.
local function next_address(data, after, n)
  local block, slot = 0, 0
  if after then block, slot = block_of(after), math.tointeger(after[1]:match ",(%d+)%)") end
  if n >= data.density then return block + n // data.density, 0 end
  if slot + n >= data.slots then return block + 1, 0 end
  return block, slot + n
end

local function probe(leaf, after, upto, n)
  local block, slot = next_address(leaf.data, after, n)
  if upto and block >= block_of(upto) then return "SELECT NULL AS key WHERE false" end
  return ([[SELECT '["(%d,%d)"]' AS key]]):format(block, slot)
end

local function last(leaf)
  return ("SELECT json_build_array(format('(%%s,0)', b))::text AS key FROM (SELECT pg_relation_size(%d) "
    .. "/ current_setting('block_size')::integer AS b) s WHERE b > 0"):format(leaf.oid)
end

-- Addresses are divided evenly.
local function splits(_, _, upto, count)
  local total, list = block_of(upto), {}
  for index = 1, math.min(count, total) - 1 do list[index] = { ("(%d,0)"):format(total * index // count) } end
  return list
end

---@type moontide.BackfillStrategy
return {
  name = "physical", summary = "as rows are stored", keyless = true, strict = true, address = true,
  choose = choose, last = last, probe = probe, splits = splits,
}
