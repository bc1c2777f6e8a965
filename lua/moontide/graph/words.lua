--- How revisions are named in messages.

local words = {}

--- A name in double quotes.
---@param name string
---@return string
function words.quote(name)
  return '"' .. name .. '"'
end

--- Names in double quotes, separated by commas.
---@param names string[]
---@param most? integer  how many to show; the rest is only counted
---@return string
function words.list(names, most)
  local shown = {}
  for i = 1, math.min(#names, most or #names) do shown[i] = words.quote(names[i]) end
  local rest = #names - #shown
  return table.concat(shown, ", ") .. (rest > 0 and (" and %d more"):format(rest) or "")
end

--- The name that may have been meant; of one or two letters anything could have been.
---@param name string
---@param known string[]
---@return string?
function words.nearest(name, known)
  return #name > 2 and require("moontide.suggest").nearest(name, known) or nil
end

--- A revision with the file it stands in.
---@param revision moontide.Revision
---@return string
function words.place(revision)
  if not revision.path then return words.quote(revision.id) end
  return ('"%s" (%s)'):format(revision.id, revision.path)
end

--- The ids of nodes.
---@param nodes moontide.graph.Node[]
---@return string[]
function words.ids(nodes)
  local ids = {}
  for i, node in ipairs(nodes) do ids[i] = node.id end
  return ids
end

return words
