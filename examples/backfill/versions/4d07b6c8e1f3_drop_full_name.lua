--- drop full_name
-- Revision ID: 4d07b6c8e1f3
-- Revises: 3c91e2a7f058
-- Create Date: 2026-11-09 09:00:00+00:00
revision = "4d07b6c8e1f3"
down_revision = "3c91e2a7f058"
branch_labels = nil
depends_on = nil

-- Nobody writes the old column any more.
function upgrade()
  op.execute "DROP TRIGGER split_name ON customers"
  op.execute "DROP FUNCTION split_name()"
  op.drop_column("customers", "full_name")
end

function downgrade()
  op.add_column("customers", { "full_name", "text" })
  op.execute [[
    CREATE FUNCTION split_name() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.first_name := split_part(NEW.full_name, ' ', 1);
      NEW.last_name := split_part(NEW.full_name, ' ', 2);
      RETURN NEW;
    END $$]]
  op.backfill { "join_name", table = "customers", set = { full_name = sql "first_name || ' ' || last_name" },
    where = "full_name IS NULL" }
  op.alter_column("customers", "full_name", { nullable = false, online = true })
  op.execute [[
    CREATE TRIGGER split_name BEFORE INSERT OR UPDATE OF full_name ON customers
    FOR EACH ROW EXECUTE FUNCTION split_name()]]
end
