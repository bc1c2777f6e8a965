--- `moontide rebase`: put heads into one line by giving revision files other parents.

local sys = require "moontide.runtime.sys"
local ask = require "moontide.ask"
local fault = require "moontide.fault"
local json = require "moontide.json"
local plan = require "moontide.rebase"
local report = require "moontide.report"
local revision = require "moontide.revision"
local revspec = require "moontide.revspec"
local rewrite = require "moontide.rewrite"

local rebase = { name = "rebase", summary = "put heads into one line by rewriting unapplied files" }

rebase.description = "After a git merge of two branches that both added revisions there are two heads. This puts "
  .. "one branch on top of the other: only down_revision and the Revises comment of its lowest files change. "
  .. "Without REV the branch that is applied stays, or the older one where none is. What the database "
  .. "has applied is never moved; a file that is applied to another database should not be either. "
  .. "The changes are shown first, and a yes is asked for."

function rebase.options(command)
  command:argument("revision", "the head of the branch to move"):args("?"):argname("REV")
  command:option("--onto", "the revision to put it on"):argname("REV")
  command:flag("--offline", "do not ask the database what is applied")
  command:flag("--dry-run", "only show what would change")
end

local function refuse_unknown(id)
  fault.raise("revision", ('the database is at revision "%s", which no file has'):format(id), {
    detail = "So it cannot be told which of the files are applied.",
    hint = "Bring the working copy up to date first.",
  })
end

-- What is applied, revisions that are applied in part included.
local function applied_in(app, graph)
  local state = app:look().state
  local ids = table.move(state.rows, 1, #state.rows, 1, {})
  for id in pairs(state.journal or {}) do ids[#ids + 1] = graph:get(id) and id end
  for _, id in ipairs(state.rows) do
    if not graph:get(id) then refuse_unknown(id) end
  end
  return graph:ancestors(ids)
end

local function applied(app, graph, args)
  if args.offline then return {} end
  local ok, result = pcall(applied_in, app, graph)
  if ok then return result end
  local problem = fault.of(result)
  if problem.kind == "connection" or problem.kind == "config" then
    problem.detail = (problem.detail and problem.detail .. "\n" or "")
      .. "The database says which revisions are applied."
    problem.hint = (problem.hint and problem.hint .. " " or "")
      .. "With --offline it is not asked; then make sure that nothing that moves is applied anywhere."
  end
  error(problem, 0)
end

local function resolve(graph, text)
  local rev = text and revspec.revision(graph, text)
  if text and not rev then
    fault.raise("revision", ('"%s" is no revision to rebase'):format(text),
      { hint = "`moontide heads` lists the heads." })
  end
  return rev and rev.id
end

-- New texts -----------------------------------------------------------------------

local function same_list(a, b)
  return table.concat(a, "\0") == table.concat(b, "\0")
end

local function refuse_file(rev, reason)
  fault.raise("revision", ('could not give revision "%s" other parents'):format(rev.id), {
    where = rev.path .. ":1", detail = reason, hint = "Change down_revision by hand; no file was changed.",
  })
end

-- The new text must say what is meant, and about everything else what the old one said.
local function check_text(rev, text, change, idle)
  local ok, new = pcall(revision.read, rev.path, text, idle, true)
  if not ok then refuse_file(rev, fault.of(new).message) end
  local same = new.id == rev.id and same_list(new.down, change.to) and same_list(new.deps, rev.deps)
    and same_list(new.labels, rev.labels)
  if not same then refuse_file(rev, "The file computes its parents, or sets them again further down.") end
end

local function add_texts(app, changes)
  local scope
  local function idle()
    scope = scope or require("moontide.environment").idle(app:config())
    return scope
  end
  for _, change in ipairs(changes) do
    local rev = change.revision
    local text, reason = rewrite.parents(rev.path, rev.text, change.to)
    if not text then refuse_file(rev, reason) end
    check_text(rev, text, change, idle)
    change.text = text
  end
end

-- Effects -------------------------------------------------------------------------

local function parents(ids) return ids[1] and table.concat(ids, ", ") or "<base>" end

local function show(changes)
  for _, change in ipairs(changes) do
    local rev = change.revision
    report.out(("%s: %s -> %s, %s"):format(report.style(rev.id, "yellow"), parents(change.from), parents(change.to),
      rev.path))
  end
end

-- A link stays a link: what it leads to is written.
local function write(path, text) sys.write(sys.realpath(path) or path, text) end

local function put_back(changes, last)
  for index = 1, last do write(changes[index].revision.path, changes[index].revision.text) end
end

-- Each file is replaced at once; when one cannot be, those before it get their text back.
local function write_all(changes)
  for index, change in ipairs(changes) do
    local ok, problem = pcall(write, change.revision.path, change.text)
    if not ok then
      put_back(changes, index - 1)
      problem = fault.of(problem)
      problem.hint = index > 1 and "The files written before it have their old text again." or nil
      error(problem, 0)
    end
    if not report.is_json() then report.out(("Rewriting %s ...  done"):format(change.revision.path)) end
  end
end

local function document(changes, graph, written)
  local list = json.array {}
  for index, change in ipairs(changes) do
    list[index] = {
      revision = change.revision.id, path = change.revision.path, from = json.array(change.from),
      to = json.array(change.to),
    }
  end
  report.json { changes = list, heads = json.array(graph.heads), written = written }
end

local function question(count)
  return count == 1 and "Rewrite this file" or ("Rewrite these %d files"):format(count)
end

local function carry_out(app, changes, args)
  if #changes == 0 then report.info("nothing to rebase") end
  if #changes == 0 or args.dry_run then return false end
  if not ask.confirm(app, question(#changes)) then
    report.info("nothing was changed")
    return false
  end
  write_all(changes)
  return true
end

function rebase.run(app, args)
  local graph = app:graph { check = true }
  local changes, after = plan.plan(graph, {
    rev = resolve(graph, args.revision), onto = resolve(graph, args.onto),
    applied = #graph.heads > 1 and applied(app, graph, args) or {}, created = plan.created,
  })
  add_texts(app, changes)
  if not report.is_json() then show(changes) end
  local written = carry_out(app, changes, args)
  if report.is_json() then document(changes, after, written) end
end

return rebase
