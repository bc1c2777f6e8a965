--- Create members.
-- Revision ID: 1f0c2d7a9e31
-- Revises:
-- Create Date: 2026-01-15 10:00:00+00:00
revision = "1f0c2d7a9e31"
down_revision = nil
branch_labels = nil
depends_on = nil

function change()
  op.create_email_type()
  op.create_table("members", {
    { "id", "bigint", identity = true, primary_key = true },
    { "address", "email_address", nullable = false, unique = true },
  })
end
