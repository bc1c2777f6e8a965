--- split names
-- Revision ID: 2b8f4d613ca7
-- Revises: 1a5c0e7d2b94
-- Create Date: 2026-11-02 09:10:00+00:00
revision = "2b8f4d613ca7"
down_revision = "1a5c0e7d2b94"
branch_labels = nil
depends_on = nil

function upgrade()
  op.add_column("customers", { "first_name", "text" })
  op.add_column("customers", { "last_name", "text" })
  -- Whoever still writes the old column: rows that come or change from here on are not the backfill's business.
  op.execute [[
    CREATE FUNCTION split_name() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.first_name := split_part(NEW.full_name, ' ', 1);
      NEW.last_name := split_part(NEW.full_name, ' ', 2);
      RETURN NEW;
    END $$]]
  op.execute [[
    CREATE TRIGGER split_name BEFORE INSERT OR UPDATE OF full_name ON customers
    FOR EACH ROW EXECUTE FUNCTION split_name()]]
  op.backfill { "split_name", table = "customers", where = "last_name IS NULL",
    read = { "full_name" }, write = { "first_name", "last_name" },
    rows_per_s = tonumber(os.getenv "ROWS_PER_S"),   -- run.sh slows the first run, so that there is time to kill it
    each = function(row)
      local first, last = row.full_name:match("^(%S+) (%S+)$")
      return { first_name = first, last_name = last }
    end }
end

function downgrade()
  op.execute "DROP TRIGGER split_name ON customers"
  op.execute "DROP FUNCTION split_name()"
  op.drop_column("customers", "last_name")
  op.drop_column("customers", "first_name")
end
