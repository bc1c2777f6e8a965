--- Revisions as text: the lines and entries that `heads`, `history`, `branches`,
--- `current`, `show` and their -v print, shaped as Alembic's, and the documents
--- that they print with --json.

local report = require "moontide.report"

local listing = {}

local function comma(list) return table.concat(list, ", ") end

local function down_of(rev)
  return rev.down[1] and comma(rev.down) or "<base>"
end

local function parents_of(rev)
  if not rev.deps[1] then return down_of(rev) .. " -> " end
  return ("%s (%s) -> "):format(down_of(rev), comma(rev.deps))
end

local function mark(word, style) return report.style((" (%s)"):format(word), style) end

local function label_marks(graph, id)
  return next(graph:node(id).labels) and mark(comma(graph:labels(id)), "cyan") or ""
end

local function head_marks(graph, id)
  if not graph:is_head(id) then return "" end
  return mark(graph:is_real_head(id) and "head" or "effective head", "green")
end

local function tree_marks(graph, rev)
  local branch = graph:node(rev.id).children[2] and mark("branchpoint", "magenta") or ""
  return rev.down[2] and branch .. mark("mergepoint", "magenta") or branch
end

local function current_mark(current, id)
  return current and current[id] and mark("current", "bold") or ""
end

---@class moontide.LineOptions
---@field parents? boolean   what it stands on comes first
---@field labels? boolean
---@field tree? boolean      branch points and merge points are marked
---@field doc? boolean
---@field current? table<string, boolean>   applied revisions, to be marked

--- A revision on one line.
---@param graph moontide.Graph
---@param rev moontide.Revision
---@param options moontide.LineOptions
---@return string
function listing.line(graph, rev, options)
  local id = rev.id
  return (options.parents and parents_of(rev) or "")
    .. report.style(id, "yellow")
    .. (options.labels and label_marks(graph, id) or "")
    .. head_marks(graph, id)
    .. current_mark(options.current, id)
    .. (options.tree and tree_marks(graph, rev) or "")
    .. (options.doc and ", " .. rev.doc or "")
end

local function indented(text)
  return (("    " .. text:gsub("\n", "\n    ")):gsub("[ \t]+\n", "\n"))
end

--- A revision in full, over several lines.
---@param graph moontide.Graph
---@param rev moontide.Revision
---@param current? table<string, boolean>   applied revisions, to be marked
---@return string
function listing.entry(graph, rev, current)
  local children, labels = graph:children(rev.id), graph:labels(rev.id)
  local lines = {}
  local function add(name, value) lines[#lines + 1] = name .. ": " .. value end
  add("Rev", report.style(rev.id, "yellow") .. (graph:is_head(rev.id) and mark("head", "green") or "")
    .. tree_marks(graph, rev) .. current_mark(current, rev.id))
  add(#rev.down > 1 and "Merges" or "Parent", down_of(rev))
  if #rev.deps > 0 then add("Also depends on", comma(rev.deps)) end
  if #children > 1 then add("Branches into", comma(children)) end
  if #labels > 0 then add("Branch names", comma(labels)) end
  add("Path", rev.path)
  return table.concat(lines, "\n") .. "\n\n" .. indented(rev.message) .. "\n"
end

--- A revision as --json prints it: revision, down_revision, depends_on, branch_labels
--- (of the whole branch), children, head, effective_head, branchpoint, mergepoint,
--- message, path, and current where that was asked for.
---@param graph moontide.Graph
---@param rev moontide.Revision
---@param current? table<string, boolean>
---@return table
function listing.document(graph, rev, current)
  local array = require("moontide.json").array
  local children = graph:children(rev.id)
  local document = {
    revision = rev.id, path = rev.path, message = rev.message,
    down_revision = array(rev.down), depends_on = array(rev.deps),
    branch_labels = array(graph:labels(rev.id)), children = array(children),
    head = graph:is_real_head(rev.id),
    effective_head = graph:is_head(rev.id) and not graph:is_real_head(rev.id),
    branchpoint = #children > 1, mergepoint = #rev.down > 1,
  }
  if current then document.current = current[rev.id] or false end
  return document
end

--- Several revisions as --json prints them.
---@param graph moontide.Graph
---@param revisions moontide.Revision[]
---@param current? table<string, boolean>
---@return table[]
function listing.documents(graph, revisions, current)
  local list = require("moontide.json").array {}
  for index, rev in ipairs(revisions) do list[index] = listing.document(graph, rev, current) end
  return list
end

return listing
