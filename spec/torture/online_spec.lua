-- Online operations killed again and again in the middle, the client or its server process: the same command goes on,
-- and in the end everything is as after an undisturbed run.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"
local sys = require "moontide.runtime.sys"

local tables = [[
CREATE TABLE p (id integer PRIMARY KEY);
INSERT INTO p SELECT generate_series(1, 100);
CREATE TABLE t (id integer, a integer, email text);
INSERT INTO t SELECT i, i % 100 + 1, 'm' || i FROM generate_series(1, 20000) i;
CREATE TABLE m (id integer, day integer) PARTITION BY RANGE (day);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (1) TO (10);
CREATE TABLE m2 PARTITION OF m FOR VALUES FROM (10) TO (20);
INSERT INTO m SELECT i, 1 + i % 19 FROM generate_series(1, 20000) i;
CREATE TABLE m3 (LIKE m);
INSERT INTO m3 SELECT i, 20 + i % 10 FROM generate_series(1, 20000) i;
]]

local cases = {
  { "an index", [[op.create_index("ix", "t", { "a" }, { online = true })]] },
  { "an index of a partitioned table", [[op.create_index("mi", "m", { "id" }, { online = true })]] },
  { "a primary key", [[op.create_primary_key(nil, "t", { "id" }, { online = true })]] },
  { "a unique constraint", [[op.create_unique_constraint("u", "t", { "email" }, { online = true })]] },
  { "a foreign key", [[op.create_foreign_key("f", "t", "p", "a", "id", { online = true })]] },
  { "a check", [[op.create_check_constraint("c", "t", "a > 0", { online = true })]] },
  { "NOT NULL", [[op.alter_column("t", "a", { nullable = false, online = true })]] },
  { "attaching a partition", [[op.attach_partition("m3", "m", { from = 20, to = 30, online = true })]] },
  { "detaching a partition", [[op.detach_partition("m1", "m", { online = true })]] },
}

local function schema(url)
  local text = shell.capture(shell.join { server.bin() .. "/pg_dump", "-s", "-N", "moontide", "-d", url })
  return (text:gsub("\n\\[%a]+[^\n]*", ""))
end

local function terminate(url)
  server.sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    .. "WHERE application_name = 'moontide' AND datname = current_database()")
end

local function database()
  local url = server.database()
  server.sql(url, tables)
  return url
end

local function start(folder, url)
  return cli.start({ "upgrade" }, { cwd = folder, env = { DATABASE_URL = url } })
end

-- Killed ever later, until it comes to its end before that. Answers how often a run was stopped.
local function disturb(folder, url, duration)
  local stopped, step = 0, duration / 12
  for attempt = 1, 1000 do
    local process = start(folder, url)
    sys.sleep(step * (1 + attempt % 24))
    if attempt % 3 == 0 then terminate(url) else process:signal "KILL" end
    local ran = process:wait(60)
    if ran.status == 0 then return stopped end
    stopped = stopped + 1
  end
  error "never came to its end"
end

describe("killed in the middle and started again", function()
  for _, case in ipairs(cases) do
    it(case[1] .. " is completed", function()
      local revision = cli.revision("a1", nil, { upgrade = "  " .. case[2] })
      local folder = cli.project { ["migrations/versions/a.lua"] = revision }
      local undisturbed, url = database(), database()
      local started = sys.clock()
      local ran = start(folder, undisturbed):wait(60)
      local duration = sys.clock() - started
      assert.equal(0, ran.status, ran.stderr)
      assert.truthy(disturb(folder, url, duration) > 0)
      assert.equal(schema(undisturbed), schema(url))
      assert.equal("a1", server.sql(url, "SELECT version_num FROM moontide.version"))
      assert.equal("0", server.sql(url, "SELECT count(*) FROM moontide.journal"))
      server.drop(url)
      server.drop(undisturbed)
    end)
  end
end)
