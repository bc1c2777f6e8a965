--- Create orders.
--
-- The status is a number here, as the first version of the application had it:
-- 0 pending, 1 paid, 2 shipped, 3 cancelled.
--
-- Revision ID: 8a41e5c7d203
-- Revises: 2f6d1c0a9b47
-- Create Date: 2026-01-16 09:30:00+00:00

revision = "8a41e5c7d203"
down_revision = "2f6d1c0a9b47"
branch_labels = nil
depends_on = nil

function upgrade()
  op.create_table("orders", {
    { "id", "bigint", identity = "always", primary_key = true },
    { "user_id", "bigint", nullable = false, references = { table = "users", on_delete = "restrict" } },
    { "status", "smallint", nullable = false, default = 0 },
    { "total", "numeric(12,2)", nullable = false, check = "total >= 0" },
    { "currency", "char(3)", nullable = false, default = "EUR" },
    { "placed_at", "timestamptz", nullable = false, default = sql "now()" },
    indexes = {
      { "user_id" },
      { "placed_at", name = "ix_orders_pending", where = "status = 0" },
    },
  })
end

function downgrade()
  op.drop_table("orders")
end
