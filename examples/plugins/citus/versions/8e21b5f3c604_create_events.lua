--- Create events.
-- Revision ID: 8e21b5f3c604
-- Revises:
-- Create Date: 2026-01-15 10:00:00+00:00
revision = "8e21b5f3c604"
down_revision = nil
branch_labels = nil
depends_on = nil

function change()
  op.create_table("countries", {
    { "code", "text", primary_key = true },
  })
  op.create_reference_table("countries")

  op.create_table("events", {
    { "tenant_id", "bigint", nullable = false },
    { "id", "bigint", nullable = false },
    { "country", "text" },
    primary_key = { "tenant_id", "id" },
  })
  op.create_distributed_table("events", "tenant_id", { shard_count = 64 })
end
