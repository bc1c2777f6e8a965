--- Rename full_name to display_name.
--
-- With change() the downgrade is derived: its operations are undone in reverse order.
--
-- lint: allow rename-column, check-reads-table because the application is stopped meanwhile
-- Revision ID: 4c7a15e8d930
-- Revises: b6f3908d2e71
-- Create Date: 2026-03-01 10:00:00+00:00

revision = "4c7a15e8d930"
down_revision = "b6f3908d2e71"
branch_labels = nil
depends_on = nil

function change()
  op.rename_column("users", "full_name", "display_name")
  op.create_check_constraint("ck_users_display_name", "users", "display_name <> ''")
end
