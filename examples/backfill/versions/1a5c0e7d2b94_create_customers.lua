--- create customers
-- Revision ID: 1a5c0e7d2b94
-- Revises:
-- Create Date: 2026-11-02 09:00:00+00:00
revision = "1a5c0e7d2b94"
down_revision = nil
branch_labels = nil
depends_on = nil

function change()
  op.create_table("customers", {
    { "id", "bigint", identity = "always", primary_key = true },
    { "full_name", "text", nullable = false },
  })
end
