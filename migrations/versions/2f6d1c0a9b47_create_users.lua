--- Create users.
--
-- Revision ID: 2f6d1c0a9b47
-- Revises:
-- Create Date: 2026-01-15 10:00:00+00:00

revision = "2f6d1c0a9b47"
down_revision = nil
branch_labels = nil
depends_on = nil

function upgrade()
  op.create_table("users", {
    { "id", "bigint", identity = "always", primary_key = true },
    { "email", "varchar(255)", nullable = false, unique = true, comment = "Lower case, confirmed by a link" },
    { "full_name", "text", nullable = false },
    { "active", "boolean", nullable = false, default = true },
    { "created_at", "timestamptz", nullable = false, default = sql "now()" },
    comment = "People who can sign in",
  })
  op.create_index("ix_users_created_at", "users", { "created_at" })
end

function downgrade()
  op.drop_table("users")
end
