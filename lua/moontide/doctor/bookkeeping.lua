--- The bookkeeping tables: may the role make and write them, and what do they say.

local quote = require "moontide.sql.quote"

local may_create_sql = [[
SELECT has_database_privilege(current_database(), 'CREATE') AS in_database,
       (SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = $1) AS in_schema]]

local function may_create(patient, schema)
  local row = patient.db:exec(may_create_sql, { schema })[1]
  if row.in_schema ~= nil then return row.in_schema, "schema" end
  return row.in_database, "database"
end

local function check_missing(patient)
  local schema = patient.config.schema
  local allowed, where = may_create(patient, schema)
  if allowed then
    return patient:ok("bookkeeping", "not there yet; the first upgrade creates it")
  end
  local target = where == "schema" and "SCHEMA " .. quote.ident(schema) or "DATABASE ..."
  patient:fail("bookkeeping", ("the role may not create the bookkeeping tables in this %s"):format(where),
    ("Run `GRANT CREATE ON %s TO ...` as the owner."):format(target))
end

-- A table that is not there gives NULL, and is not listed.
local rights_sql = [[
SELECT string_agg(t, ', ') AS missing FROM unnest($1::text[]) AS t, to_regclass(t) AS r
WHERE NOT (has_table_privilege(r, 'SELECT') AND has_table_privilege(r, 'INSERT')
           AND has_table_privilege(r, 'UPDATE') AND has_table_privilege(r, 'DELETE'))]]

local function check_rights(patient, tables)
  local value = require "moontide.value"
  local row = patient.db:exec(rights_sql, { value.param(value.array(tables)) })[1]
  if row.missing then
    patient:fail("bookkeeping", "the role may not write " .. row.missing,
      "Connect as the role that created the tables.")
  end
  return row.missing == nil
end

local function unknown_rows(patient, rows)
  local unknown = {}
  for _, id in ipairs(rows) do
    if patient.graph and not patient.graph:get(id) then unknown[#unknown + 1] = id end
  end
  return table.concat(unknown, ", ")
end

local function check_state(patient, state)
  local unknown = unknown_rows(patient, state.rows)
  local partial = next(state.journal)
  if unknown ~= "" then
    return patient:fail("bookkeeping", "the database is at revisions that no file has: " .. unknown,
      "Get the missing files from the branch that has them, or correct the rows with `moontide stamp`.")
  end
  if partial then
    return patient:warn("bookkeeping", ('revision "%s" is partially applied'):format(partial),
      "Run the upgrade again; it continues where it stopped.")
  end
  patient:ok("bookkeeping", "at " .. (#state.rows > 0 and table.concat(state.rows, ", ") or "base"))
end

local function check_lock(patient, history)
  local holder = require("moontide.lock").new(history.version):holder(patient.db)
  if holder then
    patient:warn("lock", ("held by process %d (%s)"):format(holder.pid, holder.application),
      "Another run is going on; wait for it.")
  end
end

local function read_state(patient, history)
  local results = patient.db:pipeline(history:read_statements())
  return require("moontide.history").state(results[1], results[2], results[3])
end

return function(patient)
  if not patient.db then return end
  local module = require "moontide.history"
  local history = module.open(patient.config)
  local ok, state = pcall(read_state, patient, history)
  if not ok and module.is_missing(state) then return check_missing(patient) end
  if not ok then return patient:fault("bookkeeping", state) end
  local tables = { history.version, history.log, history.journal, history.captured, history.repeatable }
  if check_rights(patient, tables) then check_state(patient, state) end
  check_lock(patient, history)
end
