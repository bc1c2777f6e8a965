--- Lower host names.
-- Revision ID: 3d7a10f4c2b8
-- Revises: 1f0c2d7a9e31
-- Create Date: 2026-01-15 16:00:00+00:00
revision = "3d7a10f4c2b8"
down_revision = "1f0c2d7a9e31"
branch_labels = nil
depends_on = nil

-- The function is that of the plugin "hosts". While few connections are left the backfill waits, as "room" says.
function change()
  op.backfill {
    "lower_hosts", table = "members", read = { "address" }, write = { "address" }, each = "lower_host", down = "keep",
    sql_equivalent = {
      set = { address = sql "split_part(address, '@', 1) || '@' || lower(split_part(address, '@', 2))" },
    },
  }
end
