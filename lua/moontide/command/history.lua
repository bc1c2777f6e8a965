--- `moontide history`: the revisions, newest first.

local listing = require "moontide.listing"
local plan = require "moontide.plan"
local report = require "moontide.report"

local history = { name = "history", summary = "list the revisions, newest first" }

history.description = "Lists the revisions, newest first; with -v in full. The database is asked only with -i, "
  .. "or when the range names current. With --graph the lines of history are drawn beside the list as "
  .. "`git log --graph` does; a line of colons leads to a revision that is only depended on."

function history.options(command)
  command:option("-r --rev-range", "only these: [FROM]:[TO], such as -3:current"):argname("FROM:TO")
  command:flag("-i --indicate-current", "mark what is applied, which asks the database")
  command:flag("--graph", "draw the lines of history beside the list")
end

local function as_set(list)
  local set = {}
  for _, item in ipairs(list) do set[item] = true end
  return set
end

local colours = { "red", "green", "yellow", "blue", "magenta", "cyan" }

local function painted(cell) return report.style(cell.text, colours[(cell.colour - 1) % #colours + 1]) end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
  return lines
end

local function print_drawn(graph, revisions, text_of)
  local lanes = require "moontide.lanes"
  for index, drawing in ipairs(lanes.draw(lanes.entries(graph, revisions))) do
    for _, line in ipairs(lanes.beside(drawing, lines_of(text_of(revisions[index])), painted)) do report.out(line) end
  end
end

local line_options = { parents = true, labels = true, tree = true, doc = true }

function history.run(app, args)
  local graph, range = app:graph { check = true }, args.rev_range
  local asks = args.indicate_current or (range and range:find("current", 1, true))
  local rows = asks and app:applied() or nil
  local current = args.indicate_current and as_set(rows) or nil
  local revisions = plan.history(graph, range, rows)
  if report.is_json() then return report.json { revisions = listing.documents(graph, revisions, current) } end
  line_options.current = current
  local function text_of(rev)
    return app.args.verbose and listing.entry(graph, rev, current) or listing.line(graph, rev, line_options)
  end
  if args.graph then return print_drawn(graph, revisions, text_of) end
  for _, rev in ipairs(revisions) do report.out(text_of(rev)) end
end

return history
