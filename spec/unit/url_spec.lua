local url = require "moontide.url"

local known = {}
for name in ([[host port user password dbname sslmode channel_binding options target_session_attrs connect_timeout
  keepalives_idle application_name sslpassword service]]):gmatch("%S+") do known[name] = true end

local function normalise(text, keywords)
  return url.normalise(text, { keywords = keywords or known, name = "$DATABASE_URL" })
end

local function messages(warnings)
  local list = {}
  for index, warning in ipairs(warnings) do list[index] = warning.message end
  return list
end

describe("url.normalise", function()
  local same_meaning = {
    { "postgres://u@h/d", "postgresql://u@h/d" },
    { "POSTGRESQL://h", "postgresql://h" },
    { "postgresql+asyncpg://u:p@h:5433/d", "postgresql://u:p@h:5433/d" },
    { "postgresql+psycopg://h/d", "postgresql://h/d" },
    { "postgresql+psycopg2cffi://h/d", "postgresql://h/d" },
    { "postgres+asyncpg://h/d", "postgresql://h/d" },
    { "postgresql://h1:1,h2:2/d", "postgresql://h1:1,h2:2/d" },
    { "postgresql://u@/d?host=/var/run/postgresql", "postgresql://u@/d?host=/var/run/postgresql" },
    { "postgresql://u@/d?host=a:1&host=b:2", "postgresql://u@/d?host=a,b&port=1,2" },
    { "postgresql:///d?host=a&host=b", "postgresql:///d?host=a,b" },
    { "postgresql:///d?host=a:5433", "postgresql:///d?host=a&port=5433" },
    { "postgresql://h/d?ssl=require", "postgresql://h/d?sslmode=require" },
    { "postgresql://h/d?ssl=true", "postgresql://h/d?sslmode=require" },
    { "postgresql://h/d?ssl=false", "postgresql://h/d?sslmode=disable" },
    { "postgresql://h/d?ssl=verify-full", "postgresql://h/d?sslmode=verify-full" },
    { "postgresql://h/d?ssl=prefer&sslmode=require", "postgresql://h/d?sslmode=require" },
    { "postgresql://h/d?timeout=2.5", "postgresql://h/d?connect_timeout=3" },
    { "postgresql://h/d?timeout=9&connect_timeout=4", "postgresql://h/d?connect_timeout=4" },
    { "postgresql://h/d?command_timeout=5&statement_cache_size=0", "postgresql://h/d" },
    { "postgresql://h/d?pgbouncer=true&connection_limit=1&pool_timeout=3", "postgresql://h/d" },
    { "postgresql://h/d?options=endpoint%3Dep-x&channel_binding=require",
      "postgresql://h/d?options=endpoint%3Dep-x&channel_binding=require" },
    { "postgresql://h/d?direct_tls=true", "postgresql://h/d" },
    { "host=h dbname=d", "host=h dbname=d" },
    { "service=prod", "service=prod" },
    { "  postgres://h/d\n", "postgresql://h/d" },
  }
  for _, case in ipairs(same_meaning) do
    it("takes " .. case[1], function()
      local ready, warnings = normalise(case[1])
      assert.equal(case[2], ready)
      assert.same({}, warnings)
    end)
  end

  it("keeps a keyword of a newer libpq where it is known", function()
    local with = setmetatable({ sslnegotiation = true }, { __index = known })
    assert.equal("postgresql://h/d?sslnegotiation=direct", (normalise("postgresql://h/d?sslnegotiation=direct", with)))
    assert.equal("postgresql://h/d?sslnegotiation=direct", (normalise("postgresql://h/d?direct_tls=true", with)))
  end)

  it("drops an unknown keyword with a warning", function()
    local ready, warnings = normalise("postgresql://h/d?sslnegotiation=direct&sslmode=require")
    assert.equal("postgresql://h/d?sslmode=require", ready)
    assert.same({ 'URL parameter "sslnegotiation" is unknown to this libpq and is left out' }, messages(warnings))
  end)

  it("offers a search path for another tool's schema parameter", function()
    local ready, warnings = normalise("postgresql://h/d?schema=app")
    assert.equal("postgresql://h/d", ready)
    assert.equal("Write `options=-csearch_path%3Dapp` to set the search path.", warnings[1].hint)
  end)

  it("keeps a raw @ in the password and warns", function()
    local ready, warnings = normalise("postgresql://u:p@ss@h/d")
    assert.equal("postgresql://u:p%40ss@h/d", ready)
    assert.equal(1, #warnings)
  end)

  it("refuses an empty URL and names where it came from", function()
    local ok, problem = pcall(normalise, "  ")
    assert.is_false(ok)
    assert.equal("config", problem.kind)
    assert.equal("database URL is empty ($DATABASE_URL)", problem.message)
  end)

  it("refuses other databases and what is no URL, without a password", function()
    local _, mysql = pcall(normalise, "mysql+pymysql://u:secret@h/d")
    assert.equal('cannot use a "mysql+pymysql" database: $DATABASE_URL', mysql.message)
    local _, word = pcall(normalise, "nonsense")
    assert.equal('"nonsense" is not a database URL: $DATABASE_URL', word.message)
    for _, text in ipairs { "u:secret@h/d", "//u:secret@h/d", "postgresql:/u:se:cret@h/d" } do
      assert.not_matches("cret", select(2, pcall(normalise, text)).message)
    end
  end)
end)

describe("url.mask", function()
  local cases = {
    { "postgresql://u:secret@h/d", "postgresql://u:***@h/d" },
    { "postgresql+asyncpg://u:secret@h/d?x=1", "postgresql+asyncpg://u:***@h/d?x=1" },
    { "postgresql://u@h/d", "postgresql://u@h/d" },
    { "postgresql://u:se@cr/e?t@h/d", "postgresql://u:***@h/d" },
    { "postgresql://u:@h/d", "postgresql://u:***@h/d" },
    { "postgresql://h/d?user=u&password=secret&a=b", "postgresql://h/d?user=u&password=***&a=b" },
    { "postgresql://h/d?sslpassword=secret", "postgresql://h/d?sslpassword=***" },
    { "host=h password=secret user=u", "host=h password=*** user=u" },
    { [[host=h password = 'a \' secret' user=u]], "host=h password = *** user=u" },
    { "could not reach postgres://u:secret@h/d today", "could not reach postgres://u:***@h/d today" },
    { "no secret", "no secret" },
  }
  for _, case in ipairs(cases) do
    it("prints " .. case[2], function() assert.equal(case[2], url.mask(case[1])) end)
  end
end)

describe("poolers", function()
  it("are known by their host or parameter", function()
    assert.is_true(url.pooled "postgresql://ep-a-b-pooler.eu.aws.neon.tech/d")
    assert.is_true(url.pooled "postgresql://aws-0.pooler.supabase.com:6543/d")
    assert.is_true(url.pooled "postgresql://h/d?pgbouncer=true")
    assert.is_true(url.pooled "host=ep-a-pooler.eu.aws.neon.tech dbname=d")
    assert.is_false(url.pooled "postgresql://h/d?pgbouncer=false")
    assert.is_false(url.pooled "postgresql://spooler.example.com/d")
  end)

  it("have a direct URL where the host tells it", function()
    assert.equal("postgresql://u:p@ep-a-b.eu.aws.neon.tech/d?sslmode=require",
      url.direct "postgresql://u:p@ep-a-b-pooler.eu.aws.neon.tech/d?sslmode=require")
    assert.is_nil(url.direct "postgresql://h-pooler.example.com/d")
    assert.is_nil(url.direct "service=x")
  end)
end)

describe("the host of Neon", function()
  local host = "ep-cool-darkness-123456.us-east-2.aws.neon.tech"

  it("gets TLS, whatever was said of it", function()
    local base = "postgresql://u:p@" .. host .. "/db"
    assert.same({ base .. "?sslmode=require" }, { url.secured(base) })
    for _, strong in ipairs { "require", "verify-ca", "verify-full" } do
      assert.same({ base .. "?sslmode=" .. strong }, { url.secured(base .. "?sslmode=" .. strong) })
    end
    for _, weak in ipairs { "disable", "allow", "prefer" } do
      local secured, warning = url.secured(base .. "?sslmode=" .. weak .. "&a=b")
      assert.equal(base .. "?sslmode=require&a=b", secured)
      assert.equal(('sslmode "%s" is not enough for a Neon host; TLS is required'):format(weak), warning.message)
    end
    local socketless = "postgresql:///db?host=" .. host
    assert.equal(socketless .. "&sslmode=require", (url.secured(socketless)))
    assert.equal("host=" .. host .. " dbname=x sslmode=require", (url.secured("host=" .. host .. " dbname=x")))
    assert.equal("host=" .. host .. " sslmode=verify-full", (url.secured("host=" .. host .. " sslmode=verify-full")))
  end)

  it("is only that", function()
    for _, other in ipairs { "postgresql://h/db", "host=h dbname=x", "postgresql://neon.tech.example.org/x",
      "postgresql://u@h/ep-x.neon.tech", "postgresql:///x?host=/tmp", "service=neon.tech" } do
      assert.same({ other }, { url.secured(other) })
    end
  end)
end)
