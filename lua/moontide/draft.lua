--- A revision file that is about to be written: what `revision` and `merge` share.

local lfs = require "lfs"
local sys = require "moontide.runtime.sys"
local fault = require "moontide.fault"
local report = require "moontide.report"
local revision = require "moontide.revision"
local template = require "moontide.template"

---@class moontide.Draft
---@field id? string           nil for one of its own
---@field message? string
---@field down string[]
---@field labels? string[]
---@field deps? string[]
---@field version_path? string   one of the version locations
---@field sql? boolean           an SQL file
---@field upgrade? string        what the function or section holds; nothing when left out
---@field downgrade? string
---@field document? table        what JSON has besides; given, the place of the file is printed, too

local draft = {}

-- Identity --------------------------------------------------------------------

local function random_id()
  return (sys.random(6):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local reserved = { base = true, head = true, heads = true, current = true }

-- A file name has 255 bytes, and version tables of other tools have 32 characters.
local MAX_ID = 32

local function check_name(what, name)
  local wrong = revision.forbidden(name)
  local message = name == "" and ("%s is empty"):format(what)
    or reserved[name] and ('"%s" is reserved and cannot be a %s'):format(name, what)
    or wrong and ('character(s) %s not allowed in %s "%s"'):format(wrong, what, name)
  if message then fault.raise("usage", message, { hint = "Use letters, digits, underscores and dots." }) end
end

local function check_id(graph, id)
  check_name("revision identifier", id)
  if utf8.len(id) == nil or utf8.len(id) > MAX_ID then
    fault.raise("usage", ('revision identifier "%s" is longer than %d characters'):format(id, MAX_ID), {
      hint = "A version table shared with Alembic holds no more.",
    })
  end
  local other = graph:get(id) or graph.by_label[id] and graph.by_label[id].revision
  if other then
    fault.raise("revision", ('"%s" is already taken'):format(id), { detail = "by " .. other.path })
  end
end

local function check_labels(graph, labels)
  for _, label in ipairs(labels) do
    check_name("branch label", label)
    local other = graph.by_label[label]
    local rev = other and other.revision or graph:get(label)
    if rev then
      fault.raise("revision", ('branch label "%s" is already taken'):format(label), { detail = "by " .. rev.path })
    end
  end
end

-- Place -----------------------------------------------------------------------

local function refuse_location(given, locations)
  fault.raise("usage", ("path %s is not represented in current version locations"):format(given), {
    detail = "the version locations are " .. table.concat(locations, ", "),
  })
end

local function named_location(given, locations)
  local real = sys.realpath(given) or given
  for _, location in ipairs(locations) do
    if location == given or (sys.realpath(location) or location) == real then return location end
  end
  refuse_location(given, locations)
end

local function location_of(rev, locations)
  local found
  for _, location in ipairs(locations) do
    local is_inside = rev.path:sub(1, #location + 1) == location .. "/"
    if is_inside and (not found or #location > #found) then found = location end
  end
  return found
end

-- A new file goes where its parent is.
local function choose_location(new, script)
  local locations = script.config.version_locations
  if new.version_path then return named_location(new.version_path, locations) end
  if #locations == 1 then return locations[1] end
  local parent = new.down[1] and script.graph:get(new.down[1])
  local location = parent and location_of(parent, locations)
  if location then return location end
  fault.raise("usage", "multiple version locations are present", {
    detail = table.concat(locations, ", "), hint = "Choose one with --version-path.",
  })
end

local function make_folders(path)
  local parent = path:match("^(.+)/[^/]*$")
  if not parent or lfs.attributes(parent, "mode") then return end
  make_folders(parent)
  local made, problem = lfs.mkdir(parent)
  if not made then fault.raise("file", ('could not make folder "%s": %s'):format(parent, problem)) end
end

local function path_of(new, moment, location, config)
  local values = { rev = new.id, slug = template.slug(new.message or "", config.truncate_slug_length) }
  for name, value in pairs(moment) do values[name] = value end
  return location .. "/" .. template.file_name(config.file_template, values, new.sql and ".sql" or ".lua")
end

-- Writing ---------------------------------------------------------------------

local function write(path, text)
  if lfs.symlinkattributes(path, "mode") then
    fault.raise("file", ('file "%s" already exists'):format(path), { hint = "It was left as it is." })
  end
  make_folders(path)
  sys.write(path, text)
end

local function hook_argv(hook, path)
  local file = hook.cwd and sys.realpath(path) or path
  local argv, has_file = {}, false
  for index, word in ipairs(hook.command) do
    local count
    argv[index], count = word:gsub("%$FILE", (file:gsub("%%", "%%%%")))
    has_file = has_file or count > 0
  end
  if not has_file then argv[#argv + 1] = file end
  return argv
end

local function how_it_ended(result, problem)
  if not result then return problem end
  if result.signal then return ("ended by signal %d"):format(result.signal) end
  return ("exit code %d"):format(result.status)
end

local function output_of(result)
  local text = result and (result.stderr or "") .. (result.stdout or "") or ""
  return text:find("%S") and text:gsub("%s+$", "") or nil
end

local function format(hook, path)
  local text = sys.read(path)
  local answer = hook.run(path, text)
  if answer ~= nil and type(answer) ~= "string" then
    error(("it answered a %s instead of the text"):format(type(answer)), 0)
  end
  if answer and answer ~= text then sys.write(path, answer) end
end

local function run_formatter(hook, path)
  local ok, problem = pcall(format, hook, path)
  if ok then return true end
  report.warn(('formatter "%s" failed: %s'):format(hook.name, tostring(problem)),
    { hint = ("The file %s was kept."):format(path) })
  return false
end

local function run_hook(hook, path)
  if hook.formatter then return run_formatter(hook, path) end
  local result, problem = sys.run(hook_argv(hook, path), { cwd = hook.cwd, capture = true })
  if result and result.status == 0 then return true end
  report.warn(('post-write hook "%s" failed: %s'):format(hook.name, how_it_ended(result, problem)), {
    detail = output_of(result), hint = ("The file %s was kept."):format(path),
  })
  return false
end

local function run_hooks(config, path)
  local all_passed = true
  for _, hook in ipairs(config.post_write_hooks) do
    if not run_hook(hook, path) then all_passed = false end
  end
  return all_passed
end

local function announce(path, new)
  if not report.is_json() then
    if not report.is_quiet() then report.out(("Generating %s ...  done"):format(path)) end
    if new.document then report.out(path .. ":1") end
    return
  end
  local array = require("moontide.json").array
  local document = {
    revision = new.id, path = path, message = new.message, down_revision = array(new.down),
    branch_labels = array(new.labels), depends_on = array(new.deps), create_date = new.created,
  }
  for key, field in pairs(new.document or {}) do document[key] = field end
  report.json(document)
end

-- Everything that can be refused is refused before the file is written.
local function complete(script, new)
  new.labels, new.deps = new.labels or {}, new.deps or {}
  if new.id then check_id(script.graph, new.id) else new.id = random_id() end
  check_labels(script.graph, new.labels)
  return choose_location(new, script), require("moontide.timezone").now(script.config.timezone)
end

--- Write a new revision file, say so, and run the post-write hooks.
---@param script moontide.Script
---@param new moontide.Draft
---@return boolean passed  false when a post-write hook failed; the file is kept
---@return string path
function draft.write(script, new)
  local location, moment = complete(script, new)
  local path = path_of(new, moment, location, script.config)
  new.message, new.created = new.message or "empty message", moment.text
  write(path, (new.sql and template.sql_revision or template.revision)(new))
  announce(path, new)
  return run_hooks(script.config, path), path
end

--- Make the folders that revisions go to. A fresh clone lacks an empty one.
---@param config table
function draft.make_locations(config)
  for _, location in ipairs(config.version_locations) do make_folders(location .. "/") end
end

return draft
