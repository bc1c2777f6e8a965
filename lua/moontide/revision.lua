--- A revision file: what it says of itself, and its functions.
---
--- Reading a folder of thousands must not run thousands of files, so a file whose
--- head is as the template writes it (comments, then plain assignments of the four
--- names, which appear nowhere else) is only scanned; any other file is run.

local lpeg = require "lpeg"
local fault = require "moontide.fault"

---@class moontide.Revision
---@field id string
---@field down string[]      as written
---@field deps string[]      revisions or labels, as written
---@field labels string[]
---@field path string
---@field text string        the file
---@field doc string         first line of the documentation
---@field message string     the whole documentation
---@field order? integer     place in the list of files

local revision = {}

-- Documentation ---------------------------------------------------------------

local header_line = {
  ["Revision ID"] = true, ["Revises"] = true, ["Create Date"] = true, ["Branch Labels"] = true, ["Depends On"] = true,
  ["lint"] = true,
}

-- The comment at the head of the file, without the lines that repeat the identity.
local function head_comment(text)
  local lines = {}
  for line in text:gmatch("([^\r\n]*)\r?\n?") do
    local words = line:match("^%-%-%-?%s?(.*)$")
    if not words or words:find("^%[=*%[") then break end
    if not header_line[words:match("^([%a ]-):") or ""] then lines[#lines + 1] = words end
  end
  return (table.concat(lines, "\n"):gsub("^%s+", ""):gsub("%s+$", ""))
end

local Revision = {}

local function is_sql(path) return path:sub(-4) == ".sql" end

-- Loaded for the projects that have such files.
local function sqlfile() return require "moontide.sqlfile" end

local late = {
  message = function(rev)
    return head_comment(is_sql(rev.path) and sqlfile().documentation(rev.text) or rev.text)
  end,
  doc = function(rev)
    local line = rev.text:match("^%-%-%- ?(%w[^\r\n]*)")
    if line and not line:find(":", 1, true) then return line end
    return rev.message:match("^[^\n]*")
  end,
}

-- Documentation is looked at by few commands, so it is read when it is asked for.
function Revision:__index(key)
  if not late[key] then return nil end
  self[key] = late[key](self)
  return rawget(self, key)
end

-- Identity, scanned -----------------------------------------------------------

-- Most lists of most revisions are empty; they share one, which nobody changes.
local NONE = {}

-- The identifier, the three lists, and where the head ends.
local function header_grammar()
  local P, R, S, C, Ct, Cc, Cp = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Ct, lpeg.Cc, lpeg.Cp
  local blank = S " \t"
  local newline = P "\r" ^ -1 * "\n"
  local line_comment = P "--" * -(P "[" * P "=" ^ 0 * "[") * (1 - S "\r\n") ^ 0
  local skip = (blank + newline + line_comment * newline) ^ 0
  local space = S " \t\r\n" ^ 0
  local text = '"' * C((1 - S '"\\\r\n') ^ 0) * '"' + "'" * C((1 - S "'\\\r\n") ^ 0) * "'"
  local list = "{" * space * Ct((text * space * ("," * space * text * space) ^ 0 * ("," * space) ^ -1) ^ -1) * "}"
  local value = P "nil" * -R("az", "AZ", "09", "__") * Cc(NONE) + Ct(text) + list
  local finish = blank ^ 0 * P ";" ^ -1 * blank ^ 0 * line_comment ^ -1 * (newline + -1)
  local function field(name, what) return skip * name * blank ^ 0 * "=" * blank ^ 0 * what * finish end
  local function optional(name) return field(name, value) + Cc(NONE) end
  return field("revision", text)
    * optional "down_revision" * optional "branch_labels" * optional "depends_on" * Cp()
end

local header

-- The four names, and the ways around plain assignment.
local telling = { "revision", "branch_labels", "depends_on", "_ENV", "_G" }

local function mentioned_again(text, position)
  for index = 1, #telling do
    if text:find(telling[index], position, true) then return true end
  end
  return false
end

local function has_function(text, position)
  return text:find("\nfunction upgrade(", position, true) or text:find("\nfunction change(", position, true)
end

local function scan(path, text)
  header = header or header_grammar()
  local id, down, labels, deps, position = header:match(text)
  if not id or mentioned_again(text, position) or not has_function(text, position - 1) then return nil end
  return { id = id, down = down, deps = deps, labels = labels, path = path, text = text, order = 0 }
end

-- Identity, run and checked ---------------------------------------------------

local function line_of(text, name)
  local number = 0
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    if line:find("^%s*" .. name .. "%s*=") or line:find("^%s*%-%-%s*moontide:.*%f[%w_]" .. name .. "%s*=") then
      return number
    end
  end
  return 1
end

local function refuse(path, text, name, message, hint)
  fault.raise("revision", message, { where = path .. ":" .. line_of(text, name), hint = hint })
end

local function is_list(value)
  if type(value) ~= "table" then return false end
  for key, item in pairs(value) do
    if math.type(key) ~= "integer" or type(item) ~= "string" then return false end
  end
  return true
end

local function as_list(path, text, name, value)
  if value == nil then return NONE end
  if type(value) == "string" then return { value } end
  if not is_list(value) then
    refuse(path, text, name, ("%s must be nil, a string or a list of strings, not %s"):format(name, type(value)))
  end
  return value
end

local FORBIDDEN = "[@:+%-%s%c/\\]"

--- The characters of a name that revision arguments use for something else, as a
--- sorted list for a message; nil when there are none.
---@param name string
---@return string?
function revision.forbidden(name)
  if not name:find(FORBIDDEN) then return nil end
  local seen, list = {}, {}
  for character in name:gmatch(FORBIDDEN) do
    if not seen[character] then list[#list + 1] = ("%q"):format(character):gsub("\\\n", "\\n") end
    seen[character] = true
  end
  table.sort(list)
  return table.concat(list, ", ")
end

local function check_name(path, text, field, what, name)
  if name == "" then refuse(path, text, field, ("%s is empty"):format(what)) end
  local wrong = revision.forbidden(name)
  if wrong then
    refuse(path, text, field, ('character(s) %s not allowed in %s "%s"'):format(wrong, what, name))
  end
end

local function check_names(rev)
  check_name(rev.path, rev.text, "revision", "revision identifier", rev.id)
  for _, label in ipairs(rev.labels) do check_name(rev.path, rev.text, "branch_labels", "branch label", label) end
  return rev
end

local function check_id(path, text, id)
  if id == nil then
    refuse(path, text, "revision", "revision is missing", 'Set revision = "..." at the head of the file.')
  end
  if type(id) ~= "string" then refuse(path, text, "revision", "revision must be a string, not " .. type(id)) end
  return id
end

local function check_functions(path, env)
  if type(rawget(env, "upgrade")) == "function" or type(rawget(env, "change")) == "function" then return end
  fault.raise("revision", "no upgrade function", {
    where = path .. ":1", hint = "Define `function upgrade()`, or `function change()` for both directions.",
  })
end

local function run(path, text, scope)
  local env = scope:fresh()
  scope:run(path, text, env)
  check_functions(path, env)
  return {
    id = check_id(path, text, rawget(env, "revision")), path = path, text = text,
    down = as_list(path, text, "down_revision", rawget(env, "down_revision")),
    deps = as_list(path, text, "depends_on", rawget(env, "depends_on")),
    labels = as_list(path, text, "branch_labels", rawget(env, "branch_labels")),
  }
end

local function read_sql(path, text, check)
  local found = sqlfile().header(path, text)
  if check then sqlfile().check(path, text) end
  return {
    id = found.revision, path = path, text = text, down = found.down_revision or NONE,
    deps = found.depends_on or NONE, labels = found.branch_labels or NONE,
  }
end

--- What a file says of itself. With `check`, a file that is only scanned is
--- compiled too, so that a syntax error anywhere in it is found.
---@param path string
---@param text string
---@param idle fun(): moontide.Scope   the scope for a file that must be run
---@param check? boolean
---@return moontide.Revision
function revision.read(path, text, idle, check)
  if is_sql(path) then return setmetatable(check_names(read_sql(path, text, check)), Revision) end
  local rev = scan(path, text)
  if rev and check and not load(text, "@" .. path, "t", NONE) then idle():compile(path, text, {}) end
  return setmetatable(check_names(rev or run(path, text, idle())), Revision)
end

--- Load a revision for running: its globals, with upgrade and downgrade, or change.
---@param rev moontide.Revision
---@param scope moontide.Scope  one for all revisions of a run, so that helpers are loaded once
---@return table
function revision.load(rev, scope)
  if is_sql(rev.path) then return sqlfile().functions(rev.path, rev.text, scope.names.op) end
  local env = scope:fresh()
  scope:run(rev.path, rev.text, env)
  check_functions(rev.path, env)
  return env
end

--- How to make a revision reversible that is not, in words.
---@param rev moontide.Revision
---@return string reason
---@return string hint
function revision.irreversible(rev)
  if is_sql(rev.path) then
    return "it has no downgrade section", "Add a line `-- downgrade` with the statements that undo it below; "
      .. "none says that there is nothing to revert."
  end
  return "it has no downgrade function",
    "Define `function downgrade()`; an empty one says that there is nothing to revert."
end

--- The checksum by which a later run sees that an applied file was edited.
---@param rev moontide.Revision
---@return string
function revision.checksum(rev)
  return require("moontide.runtime.digest").sha256(rev.text)
end

return revision
