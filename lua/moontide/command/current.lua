--- `moontide current`: the revisions that the database is at.

local json = require "moontide.json"
local listing = require "moontide.listing"
local report = require "moontide.report"
local url = require "moontide.url"

local current = { name = "current", summary = "show the applied revisions" }

current.description = "Prints the applied heads, one on a line; with -v in full. Dependencies that are implied "
  .. "by an applied revision are listed too."

function current.options(command)
  command:flag("-c --check-heads", "exit with 1 unless the database is at all heads"):target("check_heads")
end

local function split_rows(graph, rows)
  local known, unknown = {}, {}
  for _, id in ipairs(rows) do
    local list = graph:get(id) and known or unknown
    list[#list + 1] = id
  end
  return known, unknown
end

-- Applied revisions that no applied revision follows, in the order of the files.
local function tips(graph, known)
  local applied, list = graph:ancestors(known), {}
  for id in pairs(applied) do
    local followed = false
    for _, child in ipairs(graph:children(id)) do followed = followed or applied[child] end
    if not followed then list[#list + 1] = graph:get(id) end
  end
  table.sort(list, function(a, b) return a.order < b.order end)
  return list, applied
end

-- At all heads means that every revision there is is applied, as a row or implied by one.
local function behind(graph, applied, unknown)
  if #unknown > 0 then return true end
  for _, id in ipairs(graph.heads) do
    if not applied[id] then return true end
  end
  return false
end

local function warn_unknown(unknown)
  for _, id in ipairs(unknown) do
    report.warn(('the database is at revision "%s", which no file has'):format(id), {
      hint = "Is the working copy older than the database? `moontide stamp --purge` replaces the row.",
    })
  end
end

local function print_lines(app, graph, list, unknown)
  if app.args.verbose then report.out("Current revision(s) for " .. url.mask(app:config().url) .. ":") end
  for _, rev in ipairs(list) do
    report.out(app.args.verbose and listing.entry(graph, rev) or listing.line(graph, rev, { tree = true }))
  end
  for _, id in ipairs(unknown) do report.out(id .. " (unknown)") end
end

function current.run(app, args)
  local graph = app:graph()
  local known, unknown = split_rows(graph, app:applied())
  local list, applied = tips(graph, known)
  local is_behind = behind(graph, applied, unknown)
  if report.is_json() then
    report.json { current = listing.documents(graph, list), unknown = json.array(unknown), at_heads = not is_behind }
  else
    print_lines(app, graph, list, unknown)
  end
  warn_unknown(unknown)
  if not args.check_heads or not is_behind then return 0 end
  report.warn("the database is not at all head revisions", { hint = "Run `moontide upgrade heads`." })
  return 1
end

return current
