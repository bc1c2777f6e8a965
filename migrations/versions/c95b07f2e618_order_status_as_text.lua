--- Order status as text.
--
-- A data migration: a new column is added and filled, the rows that the mapping
-- does not know stop the migration, and only then the old column goes. All of it
-- is one transaction, so nobody ever sees half of it.
--
-- lint: allow drop-column, not-null-reads-table, check-reads-table, index-not-concurrent because it is to be one step
-- Revision ID: c95b07f2e618
-- Revises: 8a41e5c7d203
-- Create Date: 2026-02-02 14:10:00+00:00

revision = "c95b07f2e618"
down_revision = "8a41e5c7d203"
branch_labels = nil
depends_on = nil

local names = { [0] = "pending", "paid", "shipped", "cancelled" }

-- A script printed with --sql cannot look at the data; SET NOT NULL stops it there.
local function refuse_unknown(column)
  if context.offline then return end
  local left = op.scalar("SELECT count(*) FROM orders WHERE " .. column .. " IS NULL")
  if left > 0 then error(left .. " orders have a status that the migration does not know") end
end

function upgrade()
  op.add_column("orders", { "status_name", "text" })
  for code = 0, #names do
    op.execute("UPDATE orders SET status_name = $1 WHERE status = $2", names[code], code)
  end
  refuse_unknown("status_name")
  op.drop_column("orders", "status")      -- its index goes with it
  op.rename_column("orders", "status_name", "status")
  op.alter_column("orders", "status", { nullable = false, default = "pending" })
  op.create_check_constraint("ck_orders_status", "orders",
    "status IN ('pending', 'paid', 'shipped', 'cancelled')")
  op.create_index("ix_orders_pending", "orders", { "placed_at" }, { where = "status = 'pending'" })
end

function downgrade()
  op.add_column("orders", { "status_code", "smallint" })
  for code = 0, #names do
    op.execute("UPDATE orders SET status_code = $1 WHERE status = $2", code, names[code])
  end
  refuse_unknown("status_code")
  op.drop_column("orders", "status")
  op.rename_column("orders", "status_code", "status")
  op.alter_column("orders", "status", { nullable = false, default = 0 })
  op.create_index("ix_orders_pending", "orders", { "placed_at" }, { where = "status = 0" })
end
