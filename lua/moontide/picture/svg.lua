--- The revision graph as an SVG picture that needs nothing else: a row for each
--- revision, newest on top, the lines in the lanes of `history --graph`.

local lanes = require "moontide.lanes"
local picture = require "moontide.picture"

local svg = {}

local ROW, LANE, MARGIN, RADIUS = 30, 22, 20, 6
local LETTER = 7.9 -- how wide a letter is at most, for the width of the picture

local colours = { "#e03131", "#2f9e44", "#e67700", "#1971c2", "#9c36b5", "#0c8599" }

local style = [[
  <style>
    text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #212529; }
    .page { fill: #ffffff; } .applied { fill: #ebfbee; }
    .id { font-weight: bold; } .label { fill: #0c8599; } .head { fill: #2f9e44; } .current { font-weight: bold; }
    path { fill: none; stroke-width: 2; } .dotted { stroke-dasharray: 2 4; }
    circle { stroke-width: 2; } .open { fill: #ffffff; }
    g:hover .page, g:hover .applied { fill: #e7f5ff; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e9ecef; } .page, .open { fill: #16191d; } .applied { fill: #14301c; }
      g:hover .page, g:hover .applied { fill: #1c2b3a; }
    }
  </style>]]

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escaped(text) return (picture.clean(text):gsub('[&<>"]', entities)) end

local function colour_of(number) return colours[(number - 1) % #colours + 1] end

local function x_of(column) return MARGIN + (column - 1) * LANE end

local function y_of(row) return MARGIN + (row - 1) * ROW end

local function lane_to(drawing, target)
  for index, lane in ipairs(drawing.lanes) do
    if lane.target == target then return index, lane end
  end
end

-- Lines -----------------------------------------------------------------------

-- The places of a line: its two ends, and its lane beside each revision between them.
local function line_places(drawings, rows, edge)
  local from, to = rows[edge.from], rows[edge.to]
  local places = { { x_of(drawings[from].column), y_of(from) } }
  for row = from + 1, to do
    places[#places + 1] = { x_of(lane_to(drawings[row], edge.to)), y_of(row) }
  end
  return places, select(2, lane_to(drawings[from + 1], edge.to))
end

local function path_data(places)
  local x, y = places[1][1], places[1][2]
  local parts = { ("M%d %d"):format(x, y) }
  for index = 2, #places do
    local to_x, to_y = places[index][1], places[index][2]
    local goes_on = places[index + 1] and places[index + 1][1] == to_x
    if to_x ~= x then
      local middle = (y + to_y) // 2
      parts[#parts + 1] = ("C%d %d %d %d %d %d"):format(x, middle, to_x, middle, to_x, to_y)
    elseif not goes_on then
      parts[#parts + 1] = ("V%d"):format(to_y)
    end
    x, y = to_x, to_y
  end
  return table.concat(parts, " ")
end

local function edge_line(drawings, rows, edge)
  local places, lane = line_places(drawings, rows, edge)
  return ('  <path d="%s" stroke="%s"%s/>'):format(path_data(places), colour_of(lane.colour),
    edge.dotted and ' class="dotted"' or "")
end

-- Revisions -------------------------------------------------------------------

local function words(node)
  local list = { { "id", node.id } }
  for _, label in ipairs(node.labels) do list[#list + 1] = { "label", ("(%s)"):format(label) } end
  if node.head then list[#list + 1] = { "head", ("(%s)"):format(node.head) } end
  if node.current then list[#list + 1] = { "current", "(current)" } end
  if node.doc ~= "" then list[#list + 1] = { "doc", picture.clipped(picture.clean(node.doc), 80) } end
  return list
end

-- A letter of East Asia, or a picture, takes the place of two.
local function text_width(text)
  local width = 0
  for _, code in utf8.codes(picture.clean(text)) do width = width + (code >= 0x1100 and 2 or 1) end
  return width
end

local function width_of(node)
  local letters = 0
  for _, word in ipairs(words(node)) do letters = letters + text_width(word[2]) + 1 end
  return letters * LETTER
end

local function label(node, x, y)
  local parts = {}
  for index, word in ipairs(words(node)) do
    parts[index] = ('<tspan class="%s">%s</tspan>'):format(word[1], escaped(word[2]))
  end
  return ('<text x="%d" y="%d">%s</text>'):format(x, y + 4, table.concat(parts, " "))
end

local function dot(node, drawing, y)
  local colour = colour_of(drawing.lanes[drawing.column].colour)
  local open = node.applied == false
  return ('<circle cx="%d" cy="%d" r="%d" stroke="%s"%s/>'):format(x_of(drawing.column), y, RADIUS, colour,
    open and ' class="open"' or (' fill="%s"'):format(colour))
end

local function band(node, row, width)
  return ('<rect class="%s" x="0" y="%d" width="%d" height="%d"/>'):format(node.applied and "applied" or "page",
    y_of(row) - ROW // 2, width, ROW)
end

-- The parts of a picture that lie upon each other: bands, lines, dots and words.
local function add_nodes(add, shown, text_x, width)
  for row, node in ipairs(shown.nodes) do
    add('  <g><title>%s</title>%s', escaped(picture.tooltip(node)), band(node, row, width))
    add("    %s</g>", label(node, text_x, y_of(row)))
  end
end

local function add_dots(add, shown, drawings)
  for row, node in ipairs(shown.nodes) do
    add("  <g><title>%s</title>%s</g>", escaped(picture.tooltip(node)), dot(node, drawings[row], y_of(row)))
  end
end

local function measure(shown, drawings)
  local most, text = 1, 0
  for index, node in ipairs(shown.nodes) do
    most, text = math.max(most, #drawings[index].lanes), math.max(text, width_of(node))
  end
  local text_x = x_of(most) + LANE
  return text_x, math.ceil(text_x + text) + MARGIN, y_of(math.max(#shown.nodes, 1)) + MARGIN
end

--- The graph as an SVG document.
---@param shown moontide.Picture
---@return string
function svg.text(shown)
  local drawings, rows, lines = lanes.draw(shown.entries), {}, {}
  local function add(text, ...) lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text end
  for row, node in ipairs(shown.nodes) do rows[node.id] = row end
  local text_x, width, height = measure(shown, drawings)
  add('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">', width, height,
    width, height)
  add("  <title>revisions, the newest on top</title>")
  add(style)
  add('  <rect class="page" width="%d" height="%d"/>', width, height)
  add_nodes(add, shown, text_x, width)
  for _, edge in ipairs(shown.edges) do add(edge_line(drawings, rows, edge)) end
  add_dots(add, shown, drawings)
  add("</svg>")
  return table.concat(lines, "\n") .. "\n"
end

return svg
