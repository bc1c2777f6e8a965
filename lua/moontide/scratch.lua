--- What a server makes of declarations: they are built in a transaction that is rolled
--- back, in empty schemas under the real names, while the schemas that are there have
--- other names; then they are read back. Nobody else sees any of it, and no table that is
--- there is locked.

local fault = require "moontide.fault"
local operation = require "moontide.operation"
local quote = require "moontide.sql.quote"

local scratch = {}

---@class moontide.Declared
---@field statements { sql: string, where?: string }[]
---@field schemas table<string, true>     declared names
---@field extensions table<string, string|true>  declared names, and their schemas
---@field in_place? boolean               schemas that are left out stay where they are
---@field run? fun(db: moontide.Db)       what creates the rest, when it is known only then
---@field again? fun(problem: moontide.Fault): boolean  whether it is to be tried again in another way

local look = [[
SELECT 'schema' AS kind, n.nspname AS name, NULL AS schema, true AS movable FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL SELECT 'extension', e.extname, n.nspname, e.extrelocatable FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace WHERE n.nspname !~ '^pg_'
UNION ALL SELECT 'comment', e.extname, NULL, true FROM pg_extension e WHERE e.extname <> 'plpgsql'
  AND obj_description(e.oid, 'pg_extension') IS DISTINCT FROM
    (SELECT a.comment FROM pg_available_extensions a WHERE a.name = e.extname)
UNION ALL SELECT 'publication', pubname, NULL, true FROM pg_publication WHERE pg_has_role(pubowner, 'USAGE')
ORDER BY 1, 2]]

local function aside(i) return ("moontide aside %d"):format(i) end

-- A schema "public" is as a new database has it.
local function move_schemas(list, rows, stays, is_old)
  local names, number = {}, 0
  for _, row in ipairs(rows) do
    if row.kind == "schema" and not stays(row.name) then
      number = number + 1
      names[number] = aside(number)
      list[#list + 1] = {
        sql = ("ALTER SCHEMA %s RENAME TO %s"):format(quote.ident(row.name), quote.ident(aside(number))) }
    end
  end
  if not stays("public") then
    list[#list + 1] = { sql = "CREATE SCHEMA public" }
    list[#list + 1] = { sql = ("GRANT %s ON SCHEMA public TO PUBLIC"):format(is_old and "USAGE, CREATE" or "USAGE") }
  end
  return names
end

-- Extensions come along, into the schemas that they are declared in.
local function move_extensions(list, rows, declared, stays)
  for _, row in ipairs(rows) do
    if row.kind == "extension" and not stays(row.schema) then
      if not row.movable then
        fault.raise("config", ('the extension "%s" cannot be moved to another schema, so models cannot be built here')
          :format(row.name), { hint = "Name an empty database that has the extension with --scratch." })
      end
      local wanted = declared.extensions[row.name]
      local schema = quote.ident(type(wanted) == "string" and wanted or row.schema)
      list[#list + 1] = { sql = "CREATE SCHEMA IF NOT EXISTS " .. schema }
      list[#list + 1] = { sql = ("ALTER EXTENSION %s SET SCHEMA %s"):format(quote.ident(row.name), schema) }
    end
  end
end

-- What somebody wrote of an extension is not declared by its being there.
local function remove_comments(list, rows)
  for _, row in ipairs(rows) do
    if row.kind == "comment" then
      list[#list + 1] = { sql = ("COMMENT ON EXTENSION %s IS NULL"):format(quote.ident(row.name)) }
    end
  end
end

local function move_publications(list, rows)
  for i, row in ipairs(rows) do
    if row.kind == "publication" then
      list[#list + 1] = {
        sql = ("ALTER PUBLICATION %s RENAME TO %s"):format(quote.ident(row.name), quote.ident(aside(i))) }
    end
  end
end

local function nothing_stays() return false end

local function begin(db, declared, options)
  local rows, stays = db:exec(look), declared.in_place and options.stays or nothing_stays
  local list = {
    { sql = "SET LOCAL client_min_messages = error" }, { sql = "SET LOCAL check_function_bodies = off" },
  }
  if declared.in_place then list[3] = { sql = "SET LOCAL lock_timeout = '2s'" } end
  local names = move_schemas(list, rows, stays, db:server_version() < 150000)
  move_extensions(list, rows, declared, stays)
  remove_comments(list, rows)
  move_publications(list, rows)
  return list, names
end

-- What is there only because an extension had to be somewhere is not declared.
local function forget_undeclared(set, declared)
  for _, row in ipairs(table.move(set.list, 1, #set.list, 1, {})) do
    local name = row.call[2]
    local names = row.kind == "schema" and declared.schemas or row.kind == "extension" and declared.extensions
    if names and not names[name] then set:remove(row.key) end
  end
end

local function explain(problem, list)
  problem = fault.of(problem)
  local entry = problem.index and list[problem.index]
  if entry and entry.where then
    problem.where = entry.where
    require("moontide.dotted").explain(problem, entry.sql)
    if problem.sqlstate == "42704" and problem.message:find("^role ") then
      problem.hint = "Roles belong to the server, not to a database: create it, or take it out of the models."
    end
  elseif problem.sqlstate == "42501" then
    problem.hint = "The role must own the schemas to build models beside them; or name another database with --scratch."
  end
  error(problem, 0)
end

local function build(db, declared, options)
  local list, names = begin(db, declared, options)
  table.move(declared.statements, 1, #declared.statements, #list + 1, list)
  local ok, problem = pcall(db.pipeline, db, list)
  if not ok then explain(problem, list) end
  if declared.run then declared.run(db) end
  local schemas = table.move(options.schemas or {}, 1, #(options.schemas or {}), #names + 1, names)
  local facts = require "moontide.fact"
  local results = db:pipeline(facts.statements { schemas = schemas, relations = options.relations,
    version = db:server_version() })
  return facts.assemble(function(place) return results[place] end)
end

-- What is declared may need what is in schemas that are left out.
local missing = { ["3F000"] = true, ["42P01"] = true, ["42704"] = true, ["42883"] = true, ["42703"] = true }

local function again(problem, declared, options)
  if declared.again and declared.again(problem) then return true end
  if declared.run or declared.in_place or not options.stays then return false end
  declared.in_place = missing[problem.sqlstate] or problem.kind == "config"
  return declared.in_place
end

--- The facts of what is declared.
---@param db moontide.Db
---@param declared moontide.Declared
---@param options moontide.ScopeOptions
---@return moontide.FactSet
function scratch.read(db, declared, options)
  db:exec "BEGIN"
  local ok, set = pcall(build, db, declared, options)
  db:rollback()
  if not ok then
    if again(fault.of(set), declared, options) then return scratch.read(db, declared, options) end
    error(set, 0)
  end
  forget_undeclared(set, declared)
  return set
end

--- Note what an operation declares that may be there for an extension's sake; then it is no matter that it is.
---@param declared moontide.Declared
---@param o moontide.Operation
function scratch.add_declaration(declared, o)
  if o.kind == "rename_schema" then
    declared.schemas[o.new_name] = true
  elseif o.kind == "create_schema" then
    declared.schemas[o.name] = true
    o.if_not_exists = true
  elseif o.kind == "create_extension" then
    declared.extensions[o.name] = o.schema or true
    o.if_not_exists = true
  end
end

--- What a list of declarations says.
---@param list moontide.Operation[]
---@return moontide.Declared
function scratch.of_models(list) return scratch.of_operations(require("moontide.model").operations(list)) end

--- What operations make that are run one after the other.
---@param list moontide.Operation[]
---@return moontide.Declared
function scratch.of_operations(list)
  local declared = { statements = {}, schemas = {}, extensions = {} }
  for _, o in ipairs(list) do
    scratch.add_declaration(declared, o)
    for _, statement in ipairs(operation.statements(o)) do
      table.insert(declared.statements, { sql = statement.sql, where = o.where })
    end
  end
  return declared
end

local function name_at(text)
  local quoted = text:match('^"(.-[^"])"%f[^"]')
  return quoted and quoted:gsub('""', '"') or (text:match("^[%w_$\128-\255]+") or ""):lower()
end

--- CREATE SCHEMA and CREATE EXTENSION of what may be there for an extension's sake.
---@param declared moontide.Declared
---@param sql string
---@return string
function scratch.declare_sql(declared, sql)
  for word, names in pairs { SCHEMA = declared.schemas, EXTENSION = declared.extensions } do
    local _, last = sql:upper():find("^%s*CREATE%s+" .. word .. "%s+")
    if last then
      local rest = sql:sub(last + 1):gsub("^[iI][fF]%s+[nN][oO][tT]%s+[eE][xX][iI][sS][tT][sS]%s+", "")
      names[name_at(rest)] = true
      return ("CREATE %s IF NOT EXISTS %s"):format(word, rest)
    end
  end
  return sql
end

--- What an SQL script says: one that creates, as `pg_dump -s` prints it.
---@param path string
---@param text string
---@return moontide.Declared
function scratch.of_sql(path, text)
  local scan = require "moontide.sql.scan"
  local declared = { statements = {}, schemas = {}, extensions = {} }
  text = ("\n" .. text):gsub("\n\\[%a]+[^\n]*", "\n"):sub(2) -- \restrict of newer pg_dump
  for _, statement in ipairs(scan.split(text)) do
    if not scan.is_transaction_control(statement.sql) then
      table.insert(declared.statements, { sql = scratch.declare_sql(declared, statement.sql),
        where = ("%s:%d"):format(path, statement.line or 1) })
    end
  end
  return declared
end

return scratch
