--- Audit members.
-- Revision ID: 5b83e6c40d92
-- Revises: 3d7a10f4c2b8
-- Create Date: 2026-01-16 10:00:00+00:00
revision = "5b83e6c40d92"
down_revision = "3d7a10f4c2b8"
branch_labels = nil
depends_on = nil

-- The operations of plugins are reversed like all others.
function change()
  op.create_audit("members")
end
