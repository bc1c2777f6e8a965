--- `moontide graph`: the revision graph as a picture.

local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"
local picture = require "moontide.picture"
local plan = require "moontide.plan"
local report = require "moontide.report"

local graph = { name = "graph", summary = "draw the revision graph as SVG, DOT or Mermaid" }

graph.description = "Draws the revision graph, the newest revision on top and dependencies dotted. SVG needs nothing "
  .. "but a browser, DOT is for Graphviz, Mermaid for Markdown. The database is asked only with -i, or when the "
  .. "range names current."

local formats = { "svg", "dot", "mermaid" }

function graph.options(command)
  command:option("--format", "svg, dot or mermaid; else by the ending of FILE, else dot"):argname("FORMAT")
    :choices(formats)
  command:option("-o --output", "the file to write, such as revisions.svg"):argname("FILE")
  command:option("-r --rev-range", "only these: [FROM]:[TO], such as -3:current"):argname("FROM:TO")
  command:flag("-i --indicate-current", "highlight what is applied, which asks the database")
end

local endings = { svg = "svg", dot = "dot", gv = "dot", mmd = "mermaid", mermaid = "mermaid" }

local function format_of(args)
  if args.format or not args.output then return args.format or "dot" end
  local ending = args.output:match("%.(%w+)$")
  local format = endings[(ending or ""):lower()]
  if format then return format end
  fault.raise("usage", ('cannot tell the format of "%s" by its ending'):format(args.output), {
    hint = "Name the file .svg, .dot, .gv, .mmd or .mermaid, or say --format.",
  })
end

local function draw(app, args, format)
  local map, range = app:graph { check = true }, args.rev_range
  local asks = args.indicate_current or (range and range:find("current", 1, true))
  local rows = asks and app:applied() or nil
  local shown = picture.of(map, plan.history(map, range, rows), args.indicate_current and rows or nil)
  return require("moontide.picture." .. format).text(shown)
end

function graph.run(app, args)
  local format = format_of(args)
  local text = draw(app, args, format)
  if args.output then sys.write(args.output, text) end
  if report.is_json() then
    return report.json { format = format, output = args.output, text = not args.output and text or nil }
  end
  if not args.output then return report.out((text:gsub("\n$", ""))) end
  report.out(("Generating %s ...  done"):format(args.output))
end

return graph
