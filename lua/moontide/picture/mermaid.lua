--- The revision graph for Mermaid, as Markdown viewers draw it: the newest revision on
--- top, dependencies dotted.

local picture = require "moontide.picture"

local mermaid = {}

local entities = { ["#"] = "#35;", ['"'] = "#quot;", ["<"] = "#lt;", [">"] = "#gt;", ["&"] = "#amp;", ["`"] = "#96;" }

-- Letters at the beginning of a text could be taken for Markdown, so marks for it are written as entities.
local function escaped(text)
  text = picture.clean(text):gsub('[#"<>&`]', entities)
  return (text:gsub("[*_~%[%]\\]", function(char) return ("#%d;"):format(char:byte()) end))
end

local function label(node)
  local marks = picture.marks(node)
  local lines = { escaped(node.id), marks[1] and escaped("(" .. table.concat(marks, ") (") .. ")") or nil }
  lines[#lines + 1] = node.doc ~= "" and escaped(picture.clipped(picture.clean(node.doc), 40)) or nil
  return table.concat(lines, "<br/>")
end

local function applied_names(shown, names)
  local list = {}
  for _, node in ipairs(shown.nodes) do
    if node.applied then list[#list + 1] = names[node.id] end
  end
  return list[1] and table.concat(list, ",")
end

--- The graph in the language of Mermaid.
---@param shown moontide.Picture
---@return string
function mermaid.text(shown)
  local lines, names = { "flowchart BT" }, {}
  local function add(text, ...) lines[#lines + 1] = text:format(...) end
  for index, node in ipairs(shown.nodes) do
    names[node.id] = "r" .. index
    add('  %s["%s"]', names[node.id], label(node))
  end
  for _, edge in ipairs(shown.edges) do
    add("  %s %s %s", names[edge.to], edge.dotted and "-.->" or "-->", names[edge.from])
  end
  local applied = applied_names(shown, names)
  if applied then
    add "  classDef applied fill:#d8f3dc,stroke:#2d6a4f,color:#081c15"
    add("  class %s applied", applied)
  end
  return table.concat(lines, "\n") .. "\n"
end

return mermaid
