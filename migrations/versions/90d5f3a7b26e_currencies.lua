--- Add currencies and let orders refer to them.
--
-- The foreign key is added NOT VALID, which holds the lock on orders for a moment
-- only; the next revision checks the rows that are there already, without that lock.
--
-- Revision ID: 90d5f3a7b26e
-- Revises: e18b62f0c7d4
-- Create Date: 2026-03-20 09:00:00+00:00

revision = "90d5f3a7b26e"
down_revision = "e18b62f0c7d4"
branch_labels = nil
depends_on = nil

function upgrade()
  op.create_table("currencies", {
    { "code", "char(3)", primary_key = true },
    { "name", "text", nullable = false },
    { "digits", "smallint", nullable = false, default = 2, check = "digits BETWEEN 0 AND 4" },
  })
  op.bulk_insert("currencies", {
    { code = "CHF", name = "Swiss franc", digits = 2 },
    { code = "EUR", name = "Euro", digits = 2 },
    { code = "JPY", name = "Yen", digits = 0 },
    { code = "USD", name = "US dollar", digits = 2 },
  })
  op.create_foreign_key("fk_orders_currency", "orders", "currencies", { "currency" }, { "code" }, { not_valid = true })
end

function downgrade()
  op.drop_constraint("fk_orders_currency", "orders")
  op.drop_table("currencies")
end
