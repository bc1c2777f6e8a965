--- Several hosts in one connection string. libpq tries one after the other, but one that is silent keeps
--- it from the others when somebody else does the waiting: those behind it are another connection string. Pure.

local hosts = {}

local function split(text)
  local list = {}
  for item in ((text or "") .. ","):gmatch "([^,]*)," do list[#list + 1] = item end
  return list
end

local function names_of(keywords) return split(keywords.host or keywords.hostaddr) end

--- How many there are.
---@param keywords table<string, string>  of a connection string
---@return integer
function hosts.count(keywords) return #names_of(keywords) end

local function position(list, name)
  for index, item in ipairs(list) do
    if item == name then return index end
  end
end

local function rest(text, count, from)
  local list = split(text)
  return #list == count and table.concat(list, ",", from) or text
end

local function quoted(value) return "'" .. value:gsub("[\\']", "\\%0") .. "'" end

--- The connection string for the hosts behind one of them; nil where it is the last.
---@param keywords table<string, string>
---@param name? string
---@return string?
function hosts.behind(keywords, name)
  local list = names_of(keywords)
  local at = position(list, name)
  if not at or at == #list then return nil end
  local words = {}
  for keyword, value in pairs(keywords) do
    local is_list = keyword == "host" or keyword == "hostaddr" or keyword == "port"
    words[#words + 1] = keyword .. "=" .. quoted(is_list and rest(value, #list, at + 1) or value)
  end
  table.sort(words)
  return table.concat(words, " ")
end

return hosts
