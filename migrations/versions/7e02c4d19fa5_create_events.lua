--- Create the events ledger.
--
-- Append-only: a trigger refuses to change or remove what is written.
--
-- Revision ID: 7e02c4d19fa5
-- Revises: c95b07f2e618
-- Create Date: 2026-02-11 16:45:00+00:00

revision = "7e02c4d19fa5"
down_revision = "c95b07f2e618"
branch_labels = "ledger"
depends_on = nil

function upgrade()
  op.create_table("events", {
    { "id", "bigint", identity = "always", primary_key = true },
    { "happened_at", "timestamptz", nullable = false, default = sql "clock_timestamp()" },
    { "kind", "text", nullable = false, check = "kind ~ '^[a-z]+(\\.[a-z]+)*$'" },
    { "subject_id", "bigint" },
    { "payload", "jsonb", nullable = false, default = sql "'{}'" },
    comment = "What happened, in order; never changed and never removed",
  })
  op.create_index("ix_events_subject", "events", { "kind", "subject_id" })
  op.execute([[
    CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'events is append-only: % is not allowed', TG_OP
        USING ERRCODE = 'restrict_violation';
    END
    $$;
    CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
      FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_change();
  ]])
end

function downgrade()
  op.drop_table("events")
  op.execute("DROP FUNCTION events_refuse_change()")
end
