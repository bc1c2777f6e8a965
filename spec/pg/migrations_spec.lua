-- The environment in migrations/, on a real server.

local cli = require "spec.support.cli"
local server = require "spec.support.server"

-- Everything the migrations make, one line each, in no order of time.
local catalog_sql = [[
SELECT line FROM (
  SELECT format('column %s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                pg_get_expr(d.adbin, d.adrelid)) AS line
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace = 'public'::regnamespace
  UNION ALL SELECT format('index %s', indexdef) FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT format('trigger %s', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT format('function %s', oid::regprocedure) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT format('comment %s.%s %s', objoid::regclass, objsubid, description) FROM pg_description
  WHERE classoid = 'pg_class'::regclass AND objoid IN
    (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
) AS lines ORDER BY line COLLATE "C"]]

-- The number of a column in a comment changes when columns are dropped and added again; its text does not.
local function catalog(url)
  return (server.sql(url, catalog_sql):gsub("(comment %w+)%.%d+", "%1"))
end

local function rows(url) return server.sql(url, "SELECT version_num FROM moontide.version ORDER BY 1") end

describe("the migrations environment", function()
  local url

  local function moontide(words) return cli.ok(words, { env = { DATABASE_URL = url } }) end

  before_each(function() url = server.database() end)
  after_each(function() server.drop(url) end)

  -- Where the line is single; the documents and the ledger are between c95b and b6f3.
  local stops = {
    "base", "2f6d1c0a9b47", "8a41e5c7d203", "c95b07f2e618", "b6f3908d2e71", "4c7a15e8d930", "e18b62f0c7d4",
    "90d5f3a7b26e", "5b2e84c6a1f9",
  }

  it("goes up and down stop by stop, and each stop is the same on the way back", function()
    moontide "ensure-version"
    local seen = { [stops[1]] = catalog(url) }
    for i = 2, #stops do
      moontide("upgrade " .. stops[i])
      seen[stops[i]] = catalog(url)
      assert.not_equal(seen[stops[i - 1]], seen[stops[i]])
    end
    for i = #stops - 1, 1, -1 do
      moontide("downgrade " .. stops[i])
      assert.equal(seen[stops[i]], catalog(url))
    end
    moontide "upgrade head"
    assert.equal(seen[stops[#stops]], catalog(url))
  end)

  it("takes either branch alone", function()
    moontide "upgrade documents@31d8a6b4f09c"
    assert.equal("31d8a6b4f09c", rows(url))
    moontide "upgrade 7e02c4d19fa5"
    assert.equal("31d8a6b4f09c\n7e02c4d19fa5", rows(url))
    moontide "downgrade documents@c95b07f2e618"
    assert.equal("7e02c4d19fa5", rows(url))
  end)

  it("is the same through a printed script", function()
    moontide "upgrade head"
    local scripted = server.database()
    server.sql(scripted, (moontide "upgrade head --sql"))
    assert.equal(rows(url), rows(scripted))
    assert.equal(catalog(url), catalog(scripted))
    server.sql(scripted, (moontide "downgrade head:base --sql"))
    assert.equal("", catalog(scripted))
    server.drop(scripted)
  end)

  it("carries data through the status migration in both directions", function()
    moontide "upgrade 8a41e5c7d203"
    server.sql(url, [[
      INSERT INTO users (email, full_name) VALUES ('ada@example.org', 'Ada Lovelace');
      INSERT INTO orders (user_id, status, total) SELECT 1, s, 10 FROM generate_series(0, 3) AS s]])
    moontide "upgrade c95b07f2e618"
    assert.equal("pending,paid,shipped,cancelled",
      server.sql(url, "SELECT string_agg(status, ',' ORDER BY id) FROM orders"))
    moontide "downgrade 8a41e5c7d203"
    assert.equal("0,1,2,3", server.sql(url, "SELECT string_agg(status::text, ',' ORDER BY id) FROM orders"))
  end)

  it("refuses a status that the migration does not know, and leaves everything as it was", function()
    moontide "upgrade 8a41e5c7d203"
    server.sql(url, [[
      INSERT INTO users (email, full_name) VALUES ('ada@example.org', 'Ada Lovelace');
      INSERT INTO orders (user_id, status, total) VALUES (1, 9, 10)]])
    local before = catalog(url)
    local ran = cli.run("upgrade c95b07f2e618", { env = { DATABASE_URL = url } })
    assert.equal(1, ran.status)
    assert.matches("1 orders have a status that the migration does not know", ran.stderr, 1, true)
    assert.equal(before, catalog(url))
    assert.equal("8a41e5c7d203", rows(url))
  end)

  it("gives every user a handle of his own", function()
    moontide "upgrade 4c7a15e8d930"
    server.sql(url, [[
      INSERT INTO users (email, display_name)
      SELECT e, 'x' FROM unnest(ARRAY['Ada.Lovelace+x@a.org', 'ada_lovelace@b.org', '++@c.org']) AS e;
      INSERT INTO users (email, display_name) SELECT 'same@' || i, 'x' FROM generate_series(1, 2500) AS i]])
    moontide "upgrade e18b62f0c7d4"
    assert.equal("ada_lovelace,ada_lovelace-2,user,same,same-5",
      server.sql(url, "SELECT string_agg(handle, ',' ORDER BY id) FROM users WHERE id <= 5"))
    assert.equal("2503", server.sql(url, "SELECT count(DISTINCT handle) FROM users"))
  end)

  it("keeps the ledger append-only", function()
    moontide "upgrade head"
    server.sql(url, "INSERT INTO events (kind, subject_id) VALUES ('order.paid', 1)")
    for _, statement in ipairs { "UPDATE events SET kind = 'x'", "DELETE FROM events", "TRUNCATE events" } do
      local ok, message = pcall(server.sql, url, statement)
      assert.is_false(ok)
      assert.matches("events is append-only", message, 1, true)
    end
    assert.equal("1", server.sql(url, "SELECT count(*) FROM events"))
  end)
end)
