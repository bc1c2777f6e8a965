local fault = require "moontide.fault"
local rebase = require "moontide.rebase"
local revisions = require "spec.support.revisions"

-- graph; what is applied; REV; --onto; changes as `id: new parents`, or ! and the message; the heads afterwards.
-- Revisions were written in the order of the lines, unless a case has `undated`.
local cases = {
  { "one head is left alone", "a\nb < a" },
  { "no revisions are left alone", "" },
  { "the branch that is not applied goes on top", "a\nb < a\nc < a", "c", nil, nil, "b: c", "b" },
  { "of branches that are not applied the newer goes on top", "a\nb < a\nc < a", "a", nil, nil, "c: b", "c" },
  { "the dates count, not the order of the files", "a\nb < a\nc < a", "", nil, nil, "b: c", "b",
    order = { a = 1, c = 2, b = 3 } },
  { "long branches move as a whole", "a\nb < a\nb2 < b\nb3 < b2\nc < a\nc2 < c", "c2", nil, nil, "b: c2", "b3" },
  { "a branch that is applied in part stays", "a\nb < a\nb2 < b\nc < a", "b", nil, nil, "c: b2", "c" },
  { "three heads go on top of each other", "a\nb < a\nc < a\nd < a", "c", nil, nil, "b: c | d: b", "d" },
  { "REV goes on the other head", "a\nb < a\nc < a", "", "b", nil, "b: c", "b" },
  { "REV goes on --onto", "a\nb < a\nc < a\nd < a", "", "b", "d", "b: d", "b c" },
  { "the other head goes on --onto", "a\nb < a\nc < a", "", nil, "c", "b: c", "b" },
  { "REV may be in the middle of its branch", "a\nb < a\nb2 < b\nc < a", "", "b", nil, "b: c", "b2" },
  { "--onto may be in the middle of the other branch", "a\nb < a\nc < a\nc2 < c", "", "b", "c", "b: c", "b c2" },
  { "a merge inside of the branch stays", "a\nb < a\nd < b\ne < b\nf < d, e\nc < a", "c", nil, nil, "b: c", "f" },
  { "a merge with what is below anyway is dissolved", "a\nb < a\nc < a\nm < b, c\nd < c", "d", "m", "d",
    "b: d | m: b", "m" },
  { "a branch with two beginnings goes on top with both", "a\nb < a\nc < a\nm < b, c\nd < a", "d", nil, nil,
    "b: d | c: d", "m" },
  { "separate lines are joined when told so", "a\nb", "", "b", "a", "b: a", "b" },
  { "separate lines are not joined unasked", "a\nb", "", nil, nil, "!the heads have no revision in common" },
  { "several applied branches are refused", "a\nb < a\nc < a", "b c", nil, nil, "!several branches are applied" },
  { "a branch that is applied is not moved", "a\nb < a\nb2 < b\nc < a", "b", "b2", nil,
    '!cannot rebase what is applied: "b"' },
  { "a branch is not put on what depends on it", "a\nb < a\nc < a ~ b", "", "b", "c",
    '!cannot put "b" on top of "c", which depends on it' },
  { "a branch is not put on itself", "a\nb < a\nc < a", "", "a", "b", '!"a" is below "b" already' },
  { "more than one other head is asked for", "a\nb < a\nc < a\nd < a", "", "b", nil, "!there are 2 other heads" },
  { "without dates nothing is guessed", "a\nb < a\nc < a", "", nil, nil,
    "!cannot tell which branch is to go on top", undated = true },
  { "without dates the applied branch still stays", "a\nb < a\nc < a", "b", nil, nil, "c: b", "c", undated = true },
  { "a branch that is on top already is left alone", "a\nb < a\nc < b\nd < a", "", "c", "b", "", "c d" },
}

local function changes_text(changes)
  local list = {}
  for index, change in ipairs(changes) do
    list[index] = change.revision.id .. ": " .. table.concat(change.to, ", ")
  end
  return table.concat(list, " | ")
end

local function plan(case)
  local map = revisions.map(case[2])
  local rows = {}
  for index, id in ipairs(revisions.names(case[3])) do rows[index] = id end
  return rebase.plan(map, {
    rev = case[4], onto = case[5], applied = map:ancestors(rows),
    created = function(rev)
      if case.undated then return nil end
      return case.order and case.order[rev.id] or rev.order
    end,
  })
end

describe("rebase", function()
  for _, case in ipairs(cases) do
    it(case[1], function()
      local ok, changes, after = pcall(plan, case)
      local message = case[6] and case[6]:match("^!(.*)")
      if message then
        assert.is_false(ok)
        assert.is_true(fault.is(changes), tostring(changes))
        assert.equal(message, changes.message)
        return assert.truthy(changes.hint)
      end
      assert(ok, tostring(changes))
      assert.equal(case[6] or "", changes_text(changes))
      if case[7] then assert.equal(case[7], table.concat(after.heads, " ")) end
    end)
  end

  it("knows what a change takes a revision from", function()
    local changes = rebase.plan(revisions.map "a\nb < a\nc < a\nd < a", {
      applied = {}, created = function(rev) return rev.order end,
    })
    assert.same({ "a" }, changes[2].from)
  end)

  it("reads dates with their zones", function()
    local function at(text) return rebase.created { text = "--- x\n-- Create Date: " .. text .. "\n" } end
    assert.equal(0, at "1970-01-01 00:00:00+00:00")
    assert.equal(1768471200, at "2026-01-15 10:00:00+00:00")
    assert.equal(1768471200, at "2026-01-15 12:30:00.25+02:30")
    assert.equal(1709251200, at "2024-02-29T16:00:00-0800")
    assert.is_nil(rebase.created { text = "--- no date" })
  end)
end)
