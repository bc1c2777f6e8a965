--- Merge documents and ledger.
--
-- Revision ID: b6f3908d2e71
-- Revises: 31d8a6b4f09c, 7e02c4d19fa5
-- Create Date: 2026-02-12 08:20:00+00:00

revision = "b6f3908d2e71"
down_revision = { "31d8a6b4f09c", "7e02c4d19fa5" }
branch_labels = nil
depends_on = nil

function upgrade()
end

function downgrade()
end
