local template = require "moontide.template"

local values = {
  rev = "1975ea83b712", slug = "create_users", epoch = 1768471200,
  year = 2026, month = 1, day = 5, hour = 10, minute = 0, second = 7,
}

describe("template.slug", function()
  local cases = {
    { "Create users.", 40, "create_users" },
    { "add  a-column (x)", 40, "add_a_column_x" },
    { "", 40, "" },
    { "größe ändern", 40, "größe_ändern" },
    { "a — b", 40, "a_b" },
    { "bad \xff byte", 40, "bad_byte" },
    { "../../etc/passwd", 40, "etc_passwd" },
    { "one two three four", 12, "one_two_" },
    { "abcdefghij", 4, "abcd_" },
    { "ääää bb", 5, "ääää_" },
  }
  for _, case in ipairs(cases) do
    it(("makes %q of %q"):format(case[3], case[1]), function()
      assert.equal(case[3], template.slug(case[1], case[2]))
    end)
  end
end)

describe("template.file_name", function()
  it("fills in tokens, dates with two digits", function()
    assert.equal("1975ea83b712_create_users.lua", template.file_name("%(rev)s_%(slug)s", values))
    assert.equal("2026/01/05-100007_create_users.lua",
      template.file_name("%(year)d/%(month)s/%(day)d-%(hour)s%(minute)d%(second)s_%(slug)s", values))
    assert.equal("1768471200_001.lua", template.file_name("%(epoch)s_%(month).3d", values))
    assert.equal("100%_1975ea83b712.lua", template.file_name("100%%_%(rev)s", values))
  end)

  it("does not read tokens in values", function()
    assert.equal("%(rev)s.lua", template.file_name("%(slug)s", { slug = "%(rev)s" }))
  end)
end)

describe("template.wrong_token", function()
  it("finds the first unknown token and the nearest known one", function()
    assert.is_nil(template.wrong_token("%(rev)s_%(slug)s %%"))
    assert.same({ "%(slog)s", "slug" }, { template.wrong_token("%(rev)s_%(slog)s") })
    assert.equal("%r", (template.wrong_token("%rev")))
  end)
end)

describe("template.revision", function()
  it("writes the file that the documentation shows", function()
    assert.equal([[
--- Create users.
-- Revision ID: b2
-- Revises: a1
-- Create Date: 2026-01-15 10:00:00+00:00
revision = "b2"
down_revision = "a1"
branch_labels = nil
depends_on = { "c3", "shop" }

function upgrade()
end

function downgrade()
end
]], template.revision { id = "b2", message = "Create users.", down = { "a1" }, labels = {}, deps = { "c3", "shop" },
      created = "2026-01-15 10:00:00+00:00" })
  end)

  it("indents code, and leaves texts of several lines as they are", function()
    local text = template.revision { id = "a1", message = "m", down = {}, labels = {}, deps = {}, created = "now",
      upgrade = 'f("[[", {\n  1,\n})\n\ng([=[\na\n]]\n\nb]=], "\\"")\n-- [[ "\nh()', downgrade = "" }
    local code = 'f("[[", {\n    1,\n  })\n\n  g([=[\na\n]]\n\nb]=], "\\"")\n  -- [[ "\n  h()'
    assert.truthy(text:find("\nfunction upgrade()\n  " .. code .. "\nend\n", 1, true), text)
    assert.truthy(text:find("\nfunction downgrade()\nend\n", 1, true))
    assert.truthy(load(text))
  end)

  it("keeps a message of several lines a comment, whatever is in it", function()
    local text = template.revision { id = "a1", message = "[[one\r\n]] two\n\nend", down = {}, labels = {}, deps = {},
      created = "now" }
    assert.matches("^%-%-%- %[%[one\n%-%- %]%] two\n%-%-\n%-%- end\n%-%- Revision ID: a1\n%-%- Revises:\n", text)
    assert.truthy(load(text))
  end)
end)
