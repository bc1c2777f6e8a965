--- The connection: does it work, how is it made, and to what.

local lowest, highest = 13, 18

local facts_sql = [[
SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby,
       current_setting('default_transaction_read_only') = 'on' AS read_only,
       current_database()::text AS database, current_user::text AS role, current_schema()::text AS schema,
       current_setting('search_path') AS search_path, current_setting('server_encoding') AS encoding,
       pg_backend_pid() AS pid]]

local function check_version(patient, facts)
  local major = patient.db:server_version() // 10000
  local name = "PostgreSQL " .. facts.version:match("^%S+")
  if major < lowest then
    patient:fail("server", name .. " is too old", ("PostgreSQL %d to %d are supported."):format(lowest, highest))
  elseif major > highest then
    patient:warn("server", name .. " is newer than what this version knows",
      ("PostgreSQL %d to %d are supported."):format(lowest, highest))
  else
    patient:ok("server", name)
  end
end

local function is_local(host)
  return host == nil or host:find("^[/@]") ~= nil or host == "localhost" or host:find("^127%.") ~= nil or host == "::1"
end

local function check_tls(patient)
  local host = patient.db.conn:host()
  if patient.db.conn:tls() then
    patient:ok("encryption", "TLS")
  elseif is_local(host) then
    patient:ok("encryption", "none, on this machine")
  else
    patient:warn("encryption", ("the connection to %s is not encrypted"):format(host),
      "Add sslmode=require (or verify-full) to the URL.")
  end
end

-- A pooler in transaction mode may serve each statement with another process than the one that greeted us.
local function check_pooler(patient, facts)
  local behind = facts.pid ~= patient.db.conn:pid() or require("moontide.url").pooled(patient.config.url)
  if not behind then return patient:ok("pooler", "none") end
  patient:warn("pooler", "the connection goes through a pooler",
    "Set direct_url in env.lua or $DATABASE_URL_DIRECT; migrations then go to the server itself.")
end

local function check_writable(patient, facts)
  if facts.standby then
    patient:fail("writable", "the server is a read-only standby", "Connect to the primary.")
  elseif facts.read_only then
    patient:fail("writable", "transactions are read-only by default",
      "Unset default_transaction_read_only for this role or database.")
  else
    patient:ok("writable", "yes")
  end
end

local function check_encoding(patient, facts)
  if facts.encoding ~= "UTF8" then
    patient:warn("encoding", ("the database is encoded in %s"):format(facts.encoding),
      "Revision files are UTF-8; characters that the database lacks are refused.")
  end
end

local function check_schema(patient, facts)
  if not facts.schema then
    patient:warn("search path", ("no schema of the search path (%s) exists"):format(facts.search_path),
      "Tables without a schema cannot be created; name an existing schema in search_path.")
  elseif facts.schema == patient.config.schema then
    patient:warn("search path", ('tables would be created in "%s", the bookkeeping schema'):format(facts.schema),
      ('Set search_path for the role "%s", or `schema` in env.lua.'):format(facts.role))
  else
    patient:ok("search path", ('tables are created in "%s"'):format(facts.schema))
  end
end

local missing_sql = [[
SELECT string_agg(quote_ident(name), ', ') AS missing FROM unnest(%s) AS name
WHERE name <> '$user' AND name NOT LIKE 'pg\_temp%%' AND to_regnamespace(quote_ident(name)) IS NULL]]

-- The server takes a search path with schemas that do not exist, and passes over them.
local function check_path(patient)
  local path = patient.config.search_path
  if not path then return end
  local names = {}
  for index, name in ipairs(path) do names[index] = require("moontide.sql.quote").literal(name) end
  local missing = patient.db:exec(missing_sql:format("ARRAY[" .. table.concat(names, ", ") .. "]"))[1].missing
  if not missing then return end
  patient:warn("search_path", "a schema that search_path in env.lua names does not exist: " .. missing,
    "Create it in a revision that comes first, or correct the name.")
end

local function connect(config)
  return require("moontide.db").connect(config.url, { timeout = config.connect_timeout or 10 })
end

return function(patient)
  if not patient.config then return end
  local ok, result = pcall(connect, patient.config)
  if not ok then return patient:fault("connection", result) end
  patient.db = result
  local facts = result:exec(facts_sql)[1]
  patient:ok("connection", ('%s as "%s"'):format(require("moontide.url").mask(patient.config.url), facts.role))
  for _, check in ipairs {
    check_version, check_tls, check_pooler, check_writable, check_encoding, check_schema, check_path,
  } do
    check(patient, facts)
  end
end
