--- `moontide status`: where the database stands, on one screen.

local halves = require "moontide.partial"
local json = require "moontide.json"
local lock = require "moontide.lock"
local migrate = require "moontide.migrate"
local plan = require "moontide.plan"
local repeatable = require "moontide.repeatable"
local report = require "moontide.report"
local url = require "moontide.url"

local status = { name = "status", summary = "show what is applied, what is pending and who holds the lock" }

status.over_targets = "looks"

function status.options(command) require "moontide.fleet.options" (command) end

local function unknown_rows(graph, rows)
  local unknown = {}
  for _, id in ipairs(rows) do
    if not graph:get(id) then unknown[#unknown + 1] = id end
  end
  return unknown
end

local function pending_of(graph, rows, unknown)
  if #unknown > 0 then return {} end
  local pending = {}
  for index, step in ipairs(plan.upgrade(graph, rows, "heads")) do pending[index] = step.revision end
  return pending
end

local function partial_of(journal)
  local partial = {}
  for id, rows in pairs(journal) do
    partial[#partial + 1] = { revision = id, direction = rows[1].direction, segments = halves.committed(rows),
      interrupted = rows[#rows].state == "started" and rows[#rows].statement or nil }
  end
  table.sort(partial, function(a, b) return a.revision < b.revision end)
  return partial
end

local function state_of(file, row)
  if not row then return "new" end
  return file.checksum ~= row.checksum and "changed" or not row.current and "pending" or nil
end

-- Objects whose file differs from what is applied, or is gone.
local function repeatables_of(app, live)
  local applied, seen, list = require("moontide.repeatable.plan").applied(live), {}, {}
  for _, file in ipairs(repeatable.files(app:config())) do
    local state = state_of(file, applied[file.name])
    seen[file.name] = true
    if state then list[#list + 1] = { name = file.name, state = state, path = file.path } end
  end
  for name in pairs(applied) do
    if not seen[name] then list[#list + 1] = { name = name, state = "gone" } end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function gather(app)
  local live, graph = app:look(), app:graph()
  local unknown = unknown_rows(graph, live.state.rows)
  return {
    url = url.mask(app:config().url), rows = live.state.rows, unknown = unknown,
    pending = pending_of(graph, live.state.rows, unknown), partial = partial_of(live.state.journal),
    edited = migrate.edited(graph, live.state),
    backfills = require("moontide.backfill.overview").open(live.db, app:config().schema):open_jobs(),
    repeatables = repeatables_of(app, live), holder = lock.new(live.history.version):holder(live.db),
  }
end

local function document(found)
  local pending, edited = json.array {}, json.array {}
  for index, rev in ipairs(found.pending) do
    pending[index] = { revision = rev.id, message = rev.doc, path = rev.path }
  end
  for index, item in ipairs(found.edited) do
    local rev = item.revision
    edited[index] = { revision = rev.id, path = rev.path, recorded = item.recorded, found = item.found }
  end
  return {
    database = found.url, current = json.array(found.rows), unknown = json.array(found.unknown), pending = pending,
    partial = json.array(found.partial), edited = edited,
    backfills = require("moontide.backfill.listing").documents(found.backfills),
    repeatable = json.array(found.repeatables), lock = found.holder or json.null,
  }
end

local function line(label, text, style)
  report.out(("%-10s%s"):format(label, style and report.style(text, style) or text))
end

local function each(list, label, style, text_of)
  for index, item in ipairs(list) do line(index == 1 and label or "", text_of(item), style) end
end

local function revision_text(rev)
  return rev.id .. (rev.doc and rev.doc ~= "" and ", " .. rev.doc or "")
end

local function partial_text(item)
  local text = ("%s: %s; run it again to go on"):format(item.revision,
    halves.words(item.segments, item.direction))
  return item.interrupted and text .. "; interrupted in: " .. item.interrupted or text
end

local repeatable_words = {
  new = "new", changed = "changed since it was applied", pending = "to be applied again after a downgrade",
  gone = "applied, but its file is gone; drop it in a revision or put the file back",
}

local function repeatable_text(item) return ("%s: %s"):format(item.name, repeatable_words[item.state]) end

local function holder_text(holder)
  if not holder then return "free" end
  return ("held by process %d (%s), connected for %s"):format(holder.pid, holder.application, holder.age or "?")
end

local function current_text(found, graph)
  if #found.rows == 0 then return "nothing applied" end
  local texts = {}
  for index, id in ipairs(found.rows) do
    local rev = graph:get(id)
    texts[index] = rev and revision_text(rev) or id .. " (no file has this revision)"
  end
  return table.concat(texts, "\n          ")
end

function status.run(app)
  local found = gather(app)
  if report.is_json() then return report.json(document(found)) end
  line("database", found.url)
  line("current", current_text(found, app:graph()), #found.unknown > 0 and "red" or nil)
  local pending = #found.pending
  line("pending", pending == 0 and "none" or ("%d"):format(pending), pending > 0 and "yellow" or "green")
  each(found.pending, "", "yellow", revision_text)
  each(found.partial, "partial", "red", partial_text)
  each(found.edited, "edited", "red", function(item) return item.revision.id .. " in " .. item.revision.path end)
  each(found.backfills, "backfill", nil, require("moontide.backfill.listing").line)
  each(found.repeatables, "objects", "yellow", repeatable_text)
  line("lock", holder_text(found.holder), found.holder and "yellow" or nil)
end

return status
