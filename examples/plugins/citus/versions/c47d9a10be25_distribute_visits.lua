--- Distribute visits.
-- Revision ID: c47d9a10be25
-- Revises: 8e21b5f3c604
-- Create Date: 2026-01-16 10:00:00+00:00
revision = "c47d9a10be25"
down_revision = "8e21b5f3c604"
branch_labels = nil
depends_on = nil

function upgrade()
  op.create_table("visits", {
    { "tenant_id", "bigint", nullable = false },
    { "at", "timestamptz", nullable = false },
  })
  -- Without blocking writes; this cannot be in a transaction.
  op.create_distributed_table("visits", "tenant_id", { colocate_with = "events", concurrently = true })
end

function downgrade()
  op.undistribute_table("visits")
  op.drop_table("visits")
end
