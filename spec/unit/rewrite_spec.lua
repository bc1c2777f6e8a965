local rewrite = require "moontide.rewrite"

local function lua_text(value, comment)
  return ("--- Say hello.\n-- Revision ID: b1\n-- Revises:%s\n-- Create Date: 2026-01-15 10:00:00+00:00\n"
    .. 'revision = "b1"\ndown_revision = %s\nbranch_labels = nil\n\nfunction upgrade()\nend\n'):format(comment, value)
end

-- The name in comments, strings, fields and comparisons.
local lookalike = [==[
--[=[
down_revision = 'x' ]]
]=]
down_revision = '%s'
local s = [[down_revision = 'q']] .. "down_revision='w'"
-- Revises: old
x.down_revision = 'y' my_down_revision = 'z'
if down_revision == 'v' then end
]==]

describe("rewrite", function()
  local cases = {
    { "one parent by another", lua_text('"a1"', " a1"), { "c1" }, lua_text('"c1"', " c1") },
    { "one parent by two", lua_text('"a1"', " a1"), { "c1", "d1" }, lua_text('{ "c1", "d1" }', " c1, d1") },
    { "two parents by one", lua_text('{ "a1",\n  "a2", }', " a1, a2"), { "c1" }, lua_text('"c1"', " c1") },
    { "no parent by one", lua_text("nil", ""), { "c1" }, lua_text('"c1"', " c1") },
    { "a parent by none", lua_text('"a1"', " a1"), {}, lua_text("nil", "") },
    { "the quotes as they are", lua_text("'a1'", " a1"), { "c1" }, lua_text("'c1'", " c1") },
    { "an identifier with a quote in it", lua_text('"a1"', " a1"), { 'c"1' }, lua_text('"c\\"1"', ' c"1') },
    { "a line with comments in it", "down_revision --[[ of course ]] = 'a1' -- was 'a0'\n", { "c1" },
      "down_revision --[[ of course ]] = 'c1' -- was 'a0'\n" },
    { "lines that end as on Windows", "-- Revises: a1\r\ndown_revision = 'a1'\r\n", { "c1" },
      "-- Revises: c1\r\ndown_revision = 'c1'\r\n" },
    { "nothing that looks alike", lookalike:format("a1"), { "c1" }, lookalike:format("c1") },
    { "an SQL file", "-- moontide: revision=b1, down_revision=a1, branch_labels=\n\n-- upgrade\n", { "c1" },
      "-- moontide: revision=b1, down_revision=c1, branch_labels=\n\n-- upgrade\n", "b.sql" },
    { "an SQL file by two", "-- moontide: revision=b1, down_revision = a1 + a2 \r\n-- upgrade\r\n", { "c1", "d,1" },
      '-- moontide: revision=b1, down_revision = c1 + "d,1" \r\n-- upgrade\r\n', "b.sql" },
    { "an SQL file with an empty field", "-- Text.\n-- moontide: down_revision=, revision=b1\n", { "c1" },
      "-- Text.\n-- moontide: down_revision=c1, revision=b1\n", "b.sql" },
    { "an SQL file without the field", "-- moontide: revision=b1, depends_on=x\n", { "c1" },
      "-- moontide: revision=b1, down_revision=c1, depends_on=x\n", "b.sql" },
    { "an SQL file with the field in a second header line", "-- moontide: revision=b1\n-- moontide: down_revision=a1\n",
      { "c1" }, "-- moontide: revision=b1\n-- moontide: down_revision=c1\n", "b.sql" },
  }
  for _, case in ipairs(cases) do
    it("replaces " .. case[1], function()
      assert.equal(case[4], rewrite.parents(case[5] or "b.lua", case[2], case[3]))
    end)
  end

  local refused = {
    { "a value that is computed", "down_revision = parent()", "the file does not set down_revision to a plain value" },
    { "a list that is computed", "down_revision = { a, 'b' }", "the file does not set down_revision to a plain value" },
    { "two assignments", "down_revision = 'a' down_revision = 'b'", "the file sets down_revision more than once" },
    { "an SQL file without a header", "-- upgrade\n", "the file has no header with its revision", "b.sql" },
  }
  for _, case in ipairs(refused) do
    it("refuses " .. case[1], function()
      local text, reason = rewrite.parents(case[4] or "b.lua", case[2], { "c1" })
      assert.is_nil(text)
      assert.equal(case[3], reason)
    end)
  end
end)
