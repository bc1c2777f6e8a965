--- Validate the currency of all orders.
--
-- Revision ID: 5b2e84c6a1f9
-- Revises: 90d5f3a7b26e
-- Create Date: 2026-03-20 09:10:00+00:00

revision = "5b2e84c6a1f9"
down_revision = "90d5f3a7b26e"
branch_labels = nil
depends_on = nil

-- A wrong currency stops the migration here; the order can be corrected and the migration run again.
function upgrade()
  op.validate_constraint("fk_orders_currency", "orders")
end

-- A validated constraint cannot be made unvalidated, so it is made again.
function downgrade()
  op.drop_constraint("fk_orders_currency", "orders")
  op.create_foreign_key("fk_orders_currency", "orders", "currencies", { "currency" }, { "code" }, { not_valid = true })
end
