--- The revision graph for Graphviz: the newest revision on top, dependencies dotted.

local picture = require "moontide.picture"

local dot = {}

local function quoted(text)
  return '"' .. picture.clean(text):gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"'
end

local function label(node)
  local marks = picture.marks(node)
  local lines = { node.id, marks[1] and "(" .. table.concat(marks, ") (") .. ")" or nil }
  lines[#lines + 1] = node.doc ~= "" and picture.clipped(picture.clean(node.doc), 40) or nil
  return table.concat(lines, "\n")
end

local function node_line(node)
  local style = node.applied and ', style="rounded,filled", fillcolor="#d8f3dc"' or ""
  local pen = node.current and ", penwidth=2" or ""
  return ("  %s [label=%s, tooltip=%s%s%s];"):format(quoted(node.id), quoted(label(node)),
    quoted(picture.tooltip(node)), style, pen)
end

local function edge_line(edge)
  return ("  %s -> %s%s;"):format(quoted(edge.to), quoted(edge.from), edge.dotted and " [style=dotted]" or "")
end

--- The graph in the DOT language.
---@param shown moontide.Picture
---@return string
function dot.text(shown)
  local lines = {
    "digraph revisions {", "  rankdir=BT;", '  node [shape=box, style=rounded, fontname="monospace", fontsize=11];',
  }
  for _, node in ipairs(shown.nodes) do lines[#lines + 1] = node_line(node) end
  for _, edge in ipairs(shown.edges) do lines[#lines + 1] = edge_line(edge) end
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n") .. "\n"
end

return dot
