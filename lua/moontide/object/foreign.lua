--- The options of foreign servers, user mappings, foreign tables and their columns.
---
--- What is secret in them (a password) is neither taken nor read: it would stand in files,
--- scripts and logs.

local check = require "moontide.check"
local fault = require "moontide.fault"
local quote = require "moontide.sql.quote"
local sorted_keys = require "moontide.sorted_keys"

local foreign = {}

local secrets = { "passw", "pwd", "secret", "token", "private" }

-- The same as SQL: what is secret does not leave the server.
local secret_sql = ("(o.option_name ~* '%s' AND lower(o.option_name) <> 'password_required')")
  :format(table.concat(secrets, "|"))

-- Whether the value of an option is to be kept secret, by its name.
local function is_secret(name)
  if name:lower() == "password_required" then return false end
  for _, word in ipairs(secrets) do
    if name:lower():find(word, 1, true) then return true end
  end
  return false
end

local function refuse_secret(name, what)
  if not is_secret(name) then return end
  check.refuse(("%s: %s is secret and would stand in scripts and logs"):format(what, name),
    "Set it outside of revisions with ALTER USER MAPPING, or use a password file of the server.")
end

--- A check: options as texts, { host = "db", port = 5432 }.
function foreign.read(given, what)
  local options = {}
  for name, setting in pairs(check.table(given, what)) do
    check.name(name, what .. ": a key")
    refuse_secret(name, what)
    if type(setting) == "number" or type(setting) == "boolean" then setting = tostring(setting) end
    options[name] = check.text(setting, ('%s "%s"'):format(what, name))
  end
  return options
end

--- OPTIONS (...), or nothing.
---@param options table<string, string>?
---@return string?
function foreign.sql(options)
  local parts = {}
  for i, name in ipairs(sorted_keys(options or {})) do
    parts[i] = quote.ident(name) .. " " .. quote.literal(options[name])
  end
  return #parts > 0 and "OPTIONS (" .. table.concat(parts, ", ") .. ")" or nil
end

-- OPTIONS (...) that makes of some options others.
local function change_sql(before, after)
  local parts = {}
  for _, name in ipairs(sorted_keys(before)) do
    if after[name] == nil then parts[#parts + 1] = "DROP " .. quote.ident(name) end
  end
  for _, name in ipairs(sorted_keys(after)) do
    if before[name] ~= after[name] then
      parts[#parts + 1] = ("%s %s %s"):format(before[name] and "SET" or "ADD", quote.ident(name),
        quote.literal(after[name]))
    end
  end
  return #parts > 0 and "OPTIONS (" .. table.concat(parts, ", ") .. ")" or nil
end

--- OPTIONS (...) of an operation that alters: whether one is set or added can be told only from those there are.
---@param o moontide.Operation  with `options`, all there shall be, and `existing`
---@return string?
function foreign.altered(o)
  if not o.options then return nil end
  if o.existing and o.existing.options then return change_sql(o.existing.options, o.options) end
  fault.raise("operation", ("%s: the options that there are can be read in the database only"):format(o.kind),
    { where = o.where, hint = "Give existing = { options = { ... } } for an offline script." })
end

--- SQL of options as JSON, without those that are secret.
---@param options string  SQL of a text[]
---@return string
function foreign.known(options)
  return ("(SELECT json_object_agg(o.option_name, o.option_value) FROM pg_options_to_table(%s) o WHERE NOT %s)")
    :format(options, secret_sql)
end

--- SQL: whether one of the options is secret.
---@param options string
---@return string
function foreign.has_secret(options)
  return ("EXISTS (SELECT FROM pg_options_to_table(%s) o WHERE %s)"):format(options, secret_sql)
end

return foreign
