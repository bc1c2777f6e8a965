--- What users are told when a revision, a range or an option makes no sense: every
--- row of Alembic's own messages, with the detail that it loses on the way out.

local cli = require "spec.support.cli"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

-- aaaa1111 parts into bbbb1111 - cccc1111, labelled shop, and bbbb2222 - dddd1111; eeee1111 is a base of its own.
local function files()
  return {
    ["migrations/versions/1.lua"] = cli.revision("aaaa1111"),
    ["migrations/versions/2.lua"] = cli.revision("bbbb1111", "aaaa1111", { head = 'branch_labels = "shop"' }),
    ["migrations/versions/3.lua"] = cli.revision("bbbb2222", "aaaa1111"),
    ["migrations/versions/4.lua"] = cli.revision("cccc1111", "bbbb1111"),
    ["migrations/versions/5.lua"] = cli.revision("dddd1111", "bbbb2222"),
    ["migrations/versions/6.lua"] = cli.revision("eeee1111"),
  }
end

local heads = 'The heads are "cccc1111", "dddd1111", "eeee1111".'
local list_history = "List the revisions there are with: moontide history"
local see_history = "See the revisions in their order with: moontide history --graph"
local too_far = "relative revision %+d didn't produce %d migrations"

-- words of the command, exit code, message, detail, hint; `at` stamps the database first, `rows` writes version rows.
local cases = {
  { "show zzzzzz", 1, [[can't locate revision identified by "zzzzzz"]],
    'No revision or label is or starts with "zzzzzz".', list_history },
  { "show aaab1111", 1, [[can't locate revision identified by "aaab1111"]],
    'No revision or label is or starts with "aaab1111".', 'Perhaps you meant "aaaa1111".' },
  { "show bbbb", 1, 'multiple revisions start with "bbbb"', 'They are "bbbb1111", "bbbb2222".',
    "Give more of the one you mean." },
  { "show ab", 1, [[can't locate revision identified by "ab"]], 'No revision or label is or starts with "ab".',
    list_history },
  { "show zzzz@cccc1111", 1, 'no such branch: "zzzz"', nil, "A branch is named by a label or by any revision on it." },
  { "show shpo@cccc1111", 1, 'no such branch: "shpo"', nil, 'Perhaps you meant "shop".' },
  { "show shop@dddd1111", 1, 'revision "dddd1111" is not a member of branch "shop"', nil,
    "List the revisions of the branch with: moontide history -r shop@base:shop@head" },
  { "upgrade heads", 1, [[can't locate revision identified by "gone"]],
    "It is recorded in the version table, but no revision file declares it.",
    "Restore the file, for example from another branch of the repository, or overwrite the version table with: "
      .. "moontide stamp --purge REVISION", rows = "gone" },
  { "upgrade head", 1, 'multiple head revisions are present for given argument "head"', heads,
    'Specify a specific target revision, "<branchname>@head" to narrow to a specific head, or "heads" for all heads.' },
  { "revision -m x", 1, "multiple heads are present", heads,
    "Specify the head revision on which the new revision should be based, or perform a merge." },
  { "stamp head", 1, "multiple heads are present", heads,
    'Please specify a single target revision, or "heads" for all of them.' },
  { "revision --head aaaa1111 -m x", 1, 'revision "aaaa1111" is not a head revision',
    'It is the down_revision of "bbbb1111", "bbbb2222".',
    "Please specify --splice to create a new branch from this revision." },
  { "merge cccc1111 aaaa1111", 1, 'revision "aaaa1111" is not a head revision',
    'It is the down_revision of "bbbb1111", "bbbb2222".',
    "Please specify --splice to create a new branch from this revision." },
  { "merge cccc1111 cccc1111", 1, "duplicate head revisions specified", 'Revision "cccc1111" is given twice.',
    "Name each revision once; `moontide heads` lists the heads." },
  { "merge cccc1111", 1, "nothing to merge", "There is one revision, cccc1111.",
    "A merge joins two or more revisions; `moontide heads` lists the heads." },
  { "revision --head cccc1111 --rev-id a-b@c -m x", 2,
    'character(s) "-", "@" not allowed in revision identifier "a-b@c"', nil,
    "Use letters, digits, underscores and dots." },
  { "revision --head cccc1111 --rev-id head -m x", 2, '"head" is reserved and cannot be a revision identifier', nil,
    "Use letters, digits, underscores and dots." },
  { "revision --head cccc1111 --branch-label x:y -m x", 2, 'character(s) ":" not allowed in branch label "x:y"', nil,
    "Use letters, digits, underscores and dots." },
  { "revision --head cccc1111 --branch-label shop -m x", 1, 'branch label "shop" is already taken',
    "by migrations/versions/2.lua" },
  { "revision --head cccc1111 --rev-id aaaa1111 -m x", 1, '"aaaa1111" is already taken',
    "by migrations/versions/1.lua" },
  { "revision --head cccc1111 --depends-on nope -m x", 1, [[can't locate revision identified by "nope"]],
    'No revision or label is or starts with "nope".', list_history },
  { "stamp aaaa1111 cccc1111", 1, 'requested revision "cccc1111" overlaps with other requested revisions "aaaa1111"',
    nil, '"cccc1111" already includes them.' },
  { "upgrade heads", 1, 'requested revision "bbbb1111" overlaps with other requested revisions "aaaa1111"',
    "Both are rows of the version table, although one includes the other. "
      .. "This comes from editing down_revision or depends_on of applied revisions.",
    "Leave out what is implied, with: moontide stamp --purge bbbb1111", rows = "aaaa1111 bbbb1111" },
  { "history -r cccc1111:dddd1111", 1,
    'requested range "cccc1111:dddd1111" does not refer to ancestor/descendant revisions along the same branch',
    'Revision "cccc1111" is not an ancestor of the upper end.',
    "Give the older end first; see the branches with: moontide history --graph" },
  { "history -r cccc1111", 1, 'history range requires [start]:[end], [start]:, or :[end], not "cccc1111"', nil,
    'Write "cccc1111:" for all after it, or ":cccc1111" for all up to it.' },
  { "downgrade dddd1111", 1, 'destination "dddd1111" is not a valid downgrade target from current head(s)',
    'The current revisions are "cccc1111".', "A downgrade goes to a revision that is applied, or to base.",
    at = "cccc1111" },
  { "downgrade aaaa1111", 1, 'destination "aaaa1111" is not a valid downgrade target from current head(s)',
    "Nothing is applied.", "A downgrade goes to a revision that is applied, or to base." },
  { "upgrade +5", 1, too_far:format(5, 5), 'There are not that many revisions in the way of "+5".', see_history,
    at = "bbbb1111" },
  { "upgrade cccc1111+5", 1, too_far:format(5, 5), 'There are not that many revisions in the way of "cccc1111+5".',
    see_history },
  { "downgrade -5", 1, too_far:format(-5, 5), 'There are not that many revisions in the way of "-5".', see_history,
    at = "cccc1111" },
  { "downgrade bbbb1111-5", 1, too_far:format(-5, 5), 'There are not that many revisions in the way of "bbbb1111-5".',
    see_history, at = "cccc1111" },
  { "upgrade +1", 1, "ambiguous walk", 'Revision "aaaa1111" branches into "bbbb1111", "bbbb2222".',
    "Name the revision itself, or the branch to follow as in LABEL@+1.", at = "aaaa1111" },
  { "upgrade +1", 1, "ambiguous upgrade from multiple current revisions",
    '"+1" could count from "bbbb1111", "bbbb2222".',
    "Name the branch to follow as in LABEL@+1, or give the revision itself.", rows = "bbbb1111 bbbb2222" },
  { "upgrade -2", 1, too_far:format(-2, 2), "An upgrade goes up from what is applied.", see_history, at = "cccc1111" },
  { "downgrade +2", 1, too_far:format(2, 2), "A downgrade goes down from what is applied.", see_history,
    at = "bbbb1111" },
  { "upgrade aaaa1111:cccc1111", 2, "a range of revisions is only for --sql", nil, "Give the target revision alone." },
  { "downgrade cccc1111:aaaa1111", 2, "a range of revisions is only for --sql", nil,
    "Give the target revision alone." },
  { "stamp aaaa1111:cccc1111", 1, 'range revision not allowed: "aaaa1111:cccc1111"', nil,
    "Give a single revision; a range is for history and for --sql." },
  { "show a:b", 1, 'range revision not allowed: "a:b"', nil,
    "Give a single revision; a range is for history and for --sql." },
  { "downgrade --sql aaaa1111", 2, "downgrade with --sql requires <fromrev>:<torev>", nil,
    "There is no database to ask, so name where the script starts, as in head:-1." },
  { "stamp --sql aaaa1111:cccc1111 base:dddd1111", 2,
    "stamp with --sql only supports a single starting revision at a time", nil, "Print one script for each start." },
  { "stamp --sql --purge cccc1111", 2, "cannot use --purge with --sql", nil,
    "A script cannot know which rows there are." },
  { "edit base", 1, 'no revision files indicated by symbol "base"', nil,
    "It stands for no revision; `moontide history` lists those there are." },
  { "edit current", 1, "no current revisions", nil, "Nothing is applied to this database; name a revision." },
  { "show a@b@c", 1, 'invalid revision identifier "a@b@c"', 'Unexpected "@" at character 4.',
    "Write an identifier or the beginning of one, a label, head, heads or base; before it a branch and @, "
      .. "after it +N or -N." },
  { "init migrations/versions", 1, 'directory "migrations/versions" already exists and is not empty', nil,
    "Choose another folder; nothing was written." },
  { "init --template fancy new", 2, 'argument for option "--template" must be one of "generic"', nil,
    "Run `moontide init --help` for the usage." },
}

local function prepare(case, url, options)
  server.sql(url, "DROP SCHEMA IF EXISTS moontide CASCADE")
  if case.at then cli.ok({ "stamp", "-q", case.at }, options) end
  if not case.rows then return end
  cli.ok("ensure-version -q", options)
  for id in case.rows:gmatch("%S+") do
    server.sql(url, ("INSERT INTO moontide.version VALUES ('%s')"):format(id))
  end
end

-- Only the lines that the table is about; the revision may be named in a line of its own.
local function told(stderr)
  local lines = {}
  for line in stderr:gmatch("[^\n]+") do
    if not line:find("^  revision: ") then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

local function expected(case)
  return "error: " .. case[3] .. (case[4] and "\n  detail: " .. case[4] or "")
    .. (case[5] and "\n  hint: " .. case[5] or "")
end

describe("an error", function()
  local url, folder, options
  setup(function()
    url, folder = server.database(), cli.project(files())
    options = { cwd = folder, env = { DATABASE_URL = url, EDITOR = "true" } }
  end)
  teardown(function() server.drop(url) end)

  for _, case in ipairs(cases) do
    it(("of `%s`%s says what, why and what to do"):format(case[1], case.rows and " with rows " .. case.rows or ""),
      function()
        prepare(case, url, options)
        local ran = cli.run(case[1], options)
        assert.equal(expected(case), told(ran.stderr))
        assert.equal("", ran.stdout)
        assert.equal(case[2], ran.status)
      end)
  end

  it("leaves no file behind", function()
    assert.equal("1.lua\n2.lua\n3.lua\n4.lua\n5.lua\n6.lua",
      (shell.capture("ls " .. shell.quote(folder .. "/migrations/versions")):gsub("%s+$", "")))
    assert.equal("migrations", (shell.capture("ls " .. shell.quote(folder)):gsub("%s+$", "")))
  end)

  it("is said when the result cannot be written", function()
    for _, command in ipairs { "heads", "help", "heads --json" } do
      local ran = cli.run({ "-c", cli.binary() .. " " .. command .. " >/dev/full" },
        { cwd = folder, program = { "sh" } })
      assert.equal(1, ran.status)
      assert.equal("error: could not write to standard output: No space left on device\n", ran.stderr)
    end
  end)

  it("is not said to a reader who has gone", function()
    local ran = cli.run({ "-c", cli.binary() .. " help --man | true" }, { cwd = folder, program = { "sh" } })
    assert.equal("", ran.stderr)
  end)

  it("is a document with --json, and is told on stderr as well", function()
    local ran = cli.run("show bbbb --json", options)
    local document = require("moontide.json").decode(ran.stdout)
    assert.same({ error = {
      kind = "revision", message = 'multiple revisions start with "bbbb"',
      detail = 'They are "bbbb1111", "bbbb2222".', hint = "Give more of the one you mean.",
    } }, document)
    assert.matches("^error: multiple revisions", ran.stderr)
  end)
end)
