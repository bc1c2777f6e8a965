--- `moontide current`: the revisions that the database is at.

local json = require "moontide.json"
local listing = require "moontide.listing"
local plan = require "moontide.plan"
local report = require "moontide.report"
local url = require "moontide.url"

local current = { name = "current", summary = "show the applied revisions" }

current.over_targets = "looks"

current.description = "Prints the applied heads, one on a line; with -v in full. Dependencies that are implied "
  .. "by an applied revision are listed too."

function current.options(command)
  command:flag("-c --check-heads", "exit with 1 unless the database is at all heads"):target("check_heads")
  require "moontide.fleet.options" (command)
end

local function split_rows(graph, rows)
  local known, unknown = {}, {}
  for _, id in ipairs(rows) do
    local list = graph:get(id) and known or unknown
    list[#list + 1] = id
  end
  return known, unknown
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
  local list = plan.current(graph, known)
  local is_behind = not plan.is_at_heads(graph, app:applied())
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
