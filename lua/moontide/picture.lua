--- The revision graph as something to draw: what each revision is called and on which
--- ones it stands. Pure; the files in `picture/` write it in one language each.

local picture = {}

---@class moontide.picture.Node
---@field id string
---@field labels string[]     declared by this revision
---@field head? string        "head" or "effective head"
---@field current boolean     a row of the version table
---@field applied? boolean    nil when the database was not asked
---@field doc string          one line
---@field message string      all of it
---@field path string

---@class moontide.picture.Edge
---@field from string
---@field to string           what `from` stands on
---@field dotted boolean      a dependency

---@class moontide.Picture
---@field nodes moontide.picture.Node[]  newest first
---@field edges moontide.picture.Edge[]
---@field entries moontide.lanes.Entry[] the same for `lanes.draw`

local function head_of(graph, id)
  if not graph:is_head(id) then return nil end
  return graph:is_real_head(id) and "head" or "effective head"
end

local function node_of(graph, rev, rows, applied)
  local node = {
    id = rev.id, labels = rev.labels, head = head_of(graph, rev.id), current = rows[rev.id] or false,
    doc = rev.doc, message = rev.message, path = rev.path,
  }
  if applied then node.applied = applied[rev.id] or false end
  return node
end

local function add_edges(edges, shown, from, list, dotted)
  for _, to in ipairs(list) do
    if shown[to] then edges[#edges + 1] = { from = from, to = to, dotted = dotted } end
  end
end

local function without(list, others)
  local kept, taken = {}, {}
  for _, item in ipairs(others) do taken[item] = true end
  for _, item in ipairs(list) do
    if not taken[item] then kept[#kept + 1] = item end
  end
  return kept
end

--- The picture of revisions. Lines to revisions outside of the list are left out.
---@param graph moontide.Graph
---@param revisions moontide.Revision[]  newest first
---@param rows? string[]                 the version rows, to tell what is applied
---@return moontide.Picture
function picture.of(graph, revisions, rows)
  local shown, current = {}, {}
  for _, rev in ipairs(revisions) do shown[rev.id] = true end
  for _, id in ipairs(rows or {}) do current[id] = true end
  local applied = rows and graph:ancestors(rows)
  local new = { nodes = {}, edges = {}, entries = require("moontide.lanes").entries(graph, revisions) }
  for index, rev in ipairs(revisions) do
    new.nodes[index] = node_of(graph, rev, current, applied)
    add_edges(new.edges, shown, rev.id, rev.down, false)
    add_edges(new.edges, shown, rev.id, without(graph:dependencies(rev.id), rev.down), true)
  end
  return new
end

--- What stands in parentheses behind an identifier.
---@param node moontide.picture.Node
---@return string[]
function picture.marks(node)
  local marks = table.move(node.labels, 1, #node.labels, 1, {})
  if node.head then marks[#marks + 1] = node.head end
  if node.current then marks[#marks + 1] = "current" end
  return marks
end

--- Everything about a revision, for those who point at it.
---@param node moontide.picture.Node
---@return string
function picture.tooltip(node)
  return ("%s\n%s\n%s"):format(node.id, node.path, node.message):gsub("%s+$", "")
end

--- Text that every language here can hold: valid UTF-8 without control characters but newlines.
---@param text string
---@return string
function picture.clean(text)
  if not utf8.len(text) then text = text:gsub("[\128-\255]", "?") end
  return (text:gsub("\r\n?", "\n"):gsub("[%z\1-\9\11-\31\127]", " "))
end

--- Text cut after so many characters.
---@param text string
---@param limit integer
---@return string
function picture.clipped(text, limit)
  if (utf8.len(text) or 0) <= limit then return text end
  return text:sub(1, utf8.offset(text, limit) - 1):gsub("%s+$", "") .. "\u{2026}"
end

return picture
