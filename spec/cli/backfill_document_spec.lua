-- The example of docs/backfill.md does what the document says, and the loop that it warns of loses rows.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local tables = [[
CREATE TABLE users (id integer PRIMARY KEY, email text, full_name text, first_name text, last_name text,
  last_seen timestamptz NOT NULL);
CREATE TABLE users_archive (LIKE users);
INSERT INTO users SELECT g, 'User' || g || '@Example.com', 'Ada' || g || ' King', NULL, NULL,
  CASE WHEN g % 4 = 0 THEN timestamptz '2001-01-01' ELSE now() END FROM generate_series(1, 4000) g]]

describe("docs/backfill.md", function()
  local url
  before_each(function() url = server.database() server.sql(url, tables) end)
  after_each(function() server.drop(url) end)

  it("has an example that runs", function()
    local body = shell.read(require("lfs").currentdir() .. "/docs/backfill.md"):match("```lua title=example\n(.-)```")
    local folder = cli.upgrading(body)
    cli.ok("upgrade heads --yes", { cwd = folder, env = { DATABASE_URL = url } })
    assert.equal("3000|1000|3000|3000", server.sql(url, [[SELECT count(*), (SELECT count(*) FROM users_archive),
      count(*) FILTER (WHERE email = lower(email)), count(*) FILTER (WHERE last_name = 'King') FROM users]]))
  end)

  it("has every option in its table", function()
    local here = require("lfs").currentdir()
    local options = shell.read(here .. "/docs/backfill.md"):match "\n## Options\n(.-)\n## "
    local class = shell.read(here .. "/lua/moontide/meta/op.lua"):match "class moontide.BackfillItem.-\n(.-)\n\n"
    local count = 0
    for name in class:gmatch "@field (%l[%w_]*)" do
      count = count + 1
      assert.matches("| [^|]*`" .. name .. "`", options)
    end
    assert.is_true(count > 20)
  end)

  it("warns of a loop that leaves half of the rows as they were", function()
    for n = 0, 3000, 1000 do
      server.sql(url, ("UPDATE users SET email = lower(email) WHERE id IN (SELECT id FROM users "
        .. "WHERE email <> lower(email) ORDER BY id LIMIT 1000 OFFSET %d)"):format(n))
    end
    assert.equal("2000", server.sql(url, "SELECT count(*) FROM users WHERE email <> lower(email)"))
  end)
end)
