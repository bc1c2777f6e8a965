--- Operations on a real server: run them, read the catalog, undo them, compare the catalog with the one before.

local assert = require "luassert"
local it = require("busted").it
local catalog = require "spec.support.catalog"
local operation = require "moontide.operation"
local operations = require "spec.support.operations"
local pg = require "moontide.runtime.pg"
local serialize = require "moontide.serialize"

local rehearsal = {}

local conn

-- Roles belong to the whole server.
local function make_roles()
  for _, name in ipairs { "moontide_owner", "moontide_reader" } do
    if #conn:exec("select from pg_roles where rolname = $1", { name, n = 1 }) == 0 then
      conn:exec("create role " .. name)
    end
  end
end

--- Connect to a database, and use that from now on. The roles moontide_owner and moontide_reader are there.
---@param url string
---@return table connection
function rehearsal.open(url)
  conn = pg.connect(url)
  make_roles()
  return conn
end

-- The operation with what it reads before its statements can be told.
local function prepared(o)
  local prepare = operation.get(o.kind).prepare
  local fields = prepare and prepare(o, function(text) return conn:exec(text) end)
  if not fields then return o end
  local copy = {}
  for key, field in pairs(o) do copy[key] = field end
  for key, field in pairs(fields) do copy[key] = field end
  return copy
end

--- Run operations.
---@param list moontide.Operation[]
function rehearsal.run(list)
  for _, o in ipairs(list) do
    local ctx = { server_version = conn:server_version() }
    for _, statement in ipairs(operation.statements(prepared(o), ctx)) do conn:exec(statement.sql) end
  end
end

-- Locks on tables that were there before the transaction: relation oid -> strongest mode as operations spell it.
local function held_locks(known)
  local held = {}
  for _, row in ipairs(conn:exec [[
    select relation::bigint as oid, (array_agg(mode order by array_position(array['AccessShareLock', 'RowShareLock',
      'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
      'AccessExclusiveLock'], mode) desc))[1] as mode
    from pg_locks where pid = pg_backend_pid() and locktype = 'relation' group by relation]]) do
    local mode = row.mode:gsub("Lock$", ""):gsub("(%l)(%u)", "%1 %2"):upper()
    if known[row.oid] and mode ~= "ACCESS SHARE" then held[known[row.oid]] = mode end
  end
  return held
end

-- Tables, and the index that an index operation is about.
local function known_relations(o)
  local known = {}
  for _, row in ipairs(conn:exec [[select oid::bigint as oid, oid::regclass::text as name from pg_class
      where relkind in ('r', 'p') and relnamespace not in ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace,
        'information_schema'::regnamespace)]]) do
    known[row.oid] = row.name
  end
  for _, lock in ipairs(operation.locks(o)) do
    local row = conn:exec("select to_regclass($1)::bigint as oid, to_regclass($1)::text as name",
      { lock.relation, n = 1 })[1]
    if row.oid then known[row.oid] = row.name end
  end
  return known
end

local function declared_locks(o)
  local declared = {}
  for _, lock in ipairs(operation.locks(o)) do
    local row = conn:exec("select to_regclass($1)::text as name", { lock.relation, n = 1 })[1]
    if row.name then declared[row.name] = lock.mode end
  end
  return declared
end

-- What the run of a change() function keeps of what the operation takes away, as it is stored.
local function capture(o)
  local read = operation.get(o.kind).capture
  if not read or o.existing then return end
  local captured = read(o, function(text) return conn:exec(text) end)
  for key, field in pairs(captured and serialize.decode(serialize.encode(captured)) or {}) do o[key] = field end
end

--- Keep what operations take away.
---@param list moontide.Operation[]
function rehearsal.capture(list)
  for _, o in ipairs(list) do capture(o) end
end

-- Run operations one transaction each, and see that they lock what they say.
local function run_watched(list)
  for _, o in ipairs(list) do
    capture(o)
    if operation.transactional(o) then
      local known, declared = known_relations(o), declared_locks(o)
      conn:exec "begin"
      rehearsal.run { o }
      local held = held_locks(known)
      conn:exec "commit"
      assert.same(declared, held, operation.source(o))
    else
      rehearsal.run { o }
    end
  end
end

--- Whether one of the lines has a part.
---@param lines string[]
---@param part string
---@return boolean
function rehearsal.contains(lines, part)
  for _, line in ipairs(lines) do
    if line:find(part, 1, true) then return true end
  end
  return false
end

--- Empty schemas for the next case.
rehearsal.fresh = [[rollback; drop schema if exists public cascade; drop schema if exists "O.ther" cascade;
  create schema public; create schema "O.ther"; ]]

--- One `it` a case: { name, setup SQL, function(op), has = parts of lines that are new in the catalog }. The
--- operations are run and undone; the locks are those declared, and the catalog ends as it began. What they drop is
--- captured, as in a change() function, unless they say it themselves.
function rehearsal.cases(list)
  for _, case in ipairs(list) do
    it(case[1], function()
      conn:script(rehearsal.fresh .. case[2])
      local before = catalog.lines(conn)
      local list_of = operations.collect(case[3])
      run_watched(list_of)
      local after = catalog.lines(conn)
      local added = catalog.added(after, before)
      for _, part in ipairs(case.has or {}) do
        assert.truthy(rehearsal.contains(added, part), part .. "\nis not in\n" .. table.concat(added, "\n"))
      end
      assert.not_same(before, after)
      run_watched(operations.undo(list_of))
      assert.same(before, catalog.lines(conn))
    end)
  end
end

--- `cases` for servers from one version on.
---@param major integer  of this server
---@return fun(version: integer, list: table[])
function rehearsal.from(major)
  return function(version, list)
    if major >= version then rehearsal.cases(list) end
  end
end

return rehearsal
