--- Statements that set something of the session: it outlives their transaction.

local setting = {}

-- What ends behind the name of a setting, and names that are written in another way.
local spellings = {
  { "^session%s+authorization%f[%W]", "SESSION AUTHORIZATION" }, { "^time%s+zone%f[%W]", "TIME ZONE" },
  { "^role%f[%W]", "ROLE" }, { "^names%f[%W]", "client_encoding" }, { "^schema%f[%W]", "search_path" },
  { "^xml%s+option%f[%W]", "xmloption" },
}

-- Of the transaction alone.
local passing = { "^local%f[%W]", "^transaction%f[%W]", "^constraints%f[%W]" }

local characteristics = {
  "default_transaction_deferrable", "default_transaction_isolation", "default_transaction_read_only",
}

local function is_passing(rest)
  for _, pattern in ipairs(passing) do
    if rest:find(pattern) then return true end
  end
  return false
end

local function name_of(rest)
  for _, spelling in ipairs(spellings) do
    if rest:find(spelling[1]) then return spelling[2] end
  end
  rest = rest:gsub("^session%s+", "")
  return rest:match('^([%w_."]+)%s*=') or rest:match('^([%w_."]+)%s+to%f[%W]')
end

local function without_comments(sql)
  local start, more = 1, true
  while more do
    local _, stop = sql:find("^%s*%-%-[^\n]*\n", start)
    if not stop then _, stop = sql:find("^%s*/%*.-%*/", start) end
    start, more = stop and stop + 1 or start, stop ~= nil
  end
  return sql:sub(start)
end

local function names_of(rest)
  if rest:find("^session%s+characteristics%f[%W]") then return characteristics end
  local name = not is_passing(rest) and name_of(rest)
  return name and { name } or nil
end

--- What a statement sets for the session, as RESET names it; nil when it sets nothing.
---@param sql string
---@return string[]?
function setting.names(sql)
  local text = without_comments(sql)
  if not text:find("^%s*[Ss][Ee][LlTt]") then return nil end
  local line = text:lower()
  local call = line:gsub("^(%s*select%s+)pg_catalog%s*%.%s*", "%1")
  local called = call:match("^%s*select%s+set_config%s*%(%s*'([%w_.]+)'%s*,.*,%s*false%s*%)[%s;]*$")
  if called then return { called } end
  local rest = line:match("^%s*set%s+(.*)$")
  return rest and names_of(rest) or nil
end

local roles = { ROLE = true, role = true, ["SESSION AUTHORIZATION"] = true, session_authorization = true }

--- Whether settings decide in whose name statements are run.
---@param names string[]
---@return boolean
function setting.is_role(names) return roles[names[1]] == true end

-- What they run may set anything.
local opaque = { select = true, with = true, ["do"] = true, call = true, execute = true }

--- Whether a statement may set something that it does not show, or only for its transaction.
---@param sql string
---@return boolean
function setting.is_opaque(sql)
  local text = without_comments(sql):lower()
  return opaque[text:match "^%s*(%a+)"] or text:find "^%s*set%s+local%f[%W]" ~= nil
end

return setting
