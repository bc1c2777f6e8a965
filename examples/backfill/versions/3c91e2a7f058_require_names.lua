--- require names
-- Revision ID: 3c91e2a7f058
-- Revises: 2b8f4d613ca7
-- Create Date: 2026-11-02 09:20:00+00:00
revision = "3c91e2a7f058"
down_revision = "2b8f4d613ca7"
branch_labels = nil
depends_on = nil

-- With online = true nobody waits while the rows are looked at.
function upgrade()
  op.alter_column("customers", "first_name", { nullable = false, online = true })
  op.alter_column("customers", "last_name", { nullable = false, online = true })
end

function downgrade()
  op.alter_column("customers", "last_name", { nullable = true })
  op.alter_column("customers", "first_name", { nullable = true })
end
