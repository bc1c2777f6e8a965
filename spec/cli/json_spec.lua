--- docs/json.md and what the commands print with --json agree: every key that is printed is
--- documented, and every documented one is printed unless it has a question mark.

local cli = require "spec.support.cli"
local command = require "moontide.command"
local cjson = require "cjson"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

-- A row that speaks of "a [revision](#revision)" stands for the keys of that section, too.
local function add_row(keys, key, meaning, sections)
  keys[key:gsub("%?$", "")] = key:sub(-1) ~= "?"
  local other = meaning:match("%[[%w ]+%]%(#(%w+)%)")
  for below, needed in pairs(other and sections[other][1] or {}) do keys[key .. "." .. below] = needed end
end

-- Section -> its tables, each a map of keys to whether they must be there.
local function read_document()
  local sections, tables = {}, nil
  for line in shell.read("docs/json.md"):gmatch("[^\n]+") do
    local titles, key, meaning = line:match("^## (.*)"), line:match("^| `([^`]+)` |(.*)")
    if titles then tables = {} end
    for title in (titles or ""):gmatch("[^%s,]+") do sections[title:lower()] = tables end
    if line:find("^| key |") then tables[#tables + 1] = {} end
    if key then add_row(tables[#tables], key, meaning, sections) end
  end
  return sections
end

local function is_list(value) return type(value) == "table" and (#value > 0 or next(value) == nil) end

-- Every path in a document, such as "a[].b".
local function paths_of(value, path, found)
  if path ~= "" then found[path] = true end
  if type(value) ~= "table" then return found end
  if is_list(value) then
    for _, item in ipairs(value) do paths_of(item, path .. "[]", found) end
    return found
  end
  for key, item in pairs(value) do paths_of(item, path == "" and key or path .. "." .. key, found) end
  return found
end

-- Whether what a key belongs to is there; items of an empty list are not.
local function has_parent(found, key)
  local parent = key:match("^(.*)%.[^.]+$")
  return not parent or found[parent]
end

local function is_documented(keys, path)
  if keys[path] ~= nil or keys[path .. "[]"] ~= nil then return true end
  for key in pairs(keys) do
    if key:sub(1, #path + 1) == path .. "." or key:sub(1, #path + 3) == path .. "[]." then return true end
  end
  return false
end

-- What is wrong with a document by a table, nil when nothing is.
local function disagreement(keys, document)
  local found = paths_of(document, "", {})
  for path in pairs(found) do
    if not is_documented(keys, path) then return ("%s is not documented"):format(path) end
  end
  for key, needed in pairs(keys) do
    local plain = key:gsub("%[%]$", "")
    if needed and not found[plain] and has_parent(found, plain) then return ("%s is missing"):format(key) end
  end
  return nil
end

local function check(sections, name, text)
  local tables = assert(sections[name], "docs/json.md has no section for " .. name)
  local reasons = {}
  for index, keys in ipairs(tables) do
    reasons[index] = disagreement(keys, cjson.decode(text))
    if not reasons[index] then return index end
  end
  error(("docs/json.md does not describe what %s prints: %s\n%s"):format(name, table.concat(reasons, "; or "), text), 2)
end

-- Words to run, in this order, one after the other; `exit` when it is not 0.
local runs = {
  { "init --list-templates" }, { "init other" }, { "init other" }, { "reflect" },
  { "check --from all.sql", exit = 1 }, { "diff all.sql all.sql" },
  { "history" }, { "show heads" }, { "heads" }, { "branches" }, { "graph" }, { "graph -o g.svg" },
  { "upgrade --sql a1" }, { "downgrade --sql a1:base" }, { "stamp --sql a1" }, { "ensure-version --sql" },
  { "current" }, { "status" }, { "log" },
  { "lint --all", exit = 1 },
  { "ensure-version" }, { "upgrade a1" }, { "upgrade b1 --dry-run" }, { "upgrade b1" }, { "upgrade bad", exit = 1 },
  { "history -i" }, { "current" }, { "status" }, { "log" }, { "downgrade a1" }, { "downgrade a1" },
  { "stamp b1" }, { "stamp base" }, { "backfill" }, { "upgrade split", exit = 1 }, { "status" },
  { "backfill" }, { "backfill pause fill" }, { "backfill status fill" }, { "backfill set fill lanes=1 max_rows=10" },
  { "backfill resume fill" }, { "backfill work", exit = 1 }, { "backfill cancel fill" }, { "backfill work" },
  { "backfill retry fill" }, { "repair", exit = 1 },
  { "repair verify split" }, { "repair abandon split" }, { "repair accept a1" }, { "repair indexes" },
  { "rebase bad --onto b1 --dry-run" }, { "rebase bad --onto b1 --yes" }, { "edit a1" },
  { "revision -m new --head bad" }, { "merge split heads -m joined --splice", exit = 1 }, { "merge heads" },
  { "help" }, { "help --man" }, { "completion bash" }, { "doctor" },
  { "dev status", exit = 1 }, { "dev start" }, { "dev status" }, { "dev url" }, { "dev stop" },
  { "edit base", exit = 1 }, { "show nothing", exit = 1 }, { "heads --wrong", exit = 2 },
}

local function files()
  return {
    ["all.sql"] = "create table t (a int)",
    ["migrations/versions/1.lua"] = cli.revision("a1", nil, { upgrade = '  op.execute("SELECT 1")' }),
    ["migrations/versions/2.lua"] = cli.revision("b1", "a1", { head = 'branch_labels = "line"', upgrade =
      '  op.scalar("SELECT 1")' }),
    ["migrations/versions/3.lua"] = cli.revision("bad", "a1", { upgrade =
      '  op.execute("SELECT 1/0")\n  op.create_index("i", "t", "a")' }),
    ["migrations/versions/4.lua"] = cli.revision("split", "a1", { head = 'depends_on = "b1"', upgrade =
      '  op.autocommit(function() op.execute("SELECT 2") end)\n  op.execute("CREATE TABLE b AS SELECT 1 AS k")\n'
      .. '  op.execute("ALTER TABLE b ALTER k SET NOT NULL")\n'
      .. '  op.execute("CREATE SEQUENCE looks")\n'
      .. '  op.backfill { "fill", table = "b", key = "k", where = sql "1 / (k - k) > 0", delete = true,\n'
      .. '    throttle_sql = "SELECT nextval(\'looks\') < 2" }' }),
  }
end

describe("docs/json.md", function()
  local sections = read_document()

  it("has a section for every command", function()
    for _, entry in ipairs(command.list) do
      assert.truthy(sections[entry.name], "docs/json.md has no section for " .. entry.name)
    end
  end)

  it("has no section for what is no command", function()
    for name in pairs(sections) do
      assert.truthy(name == "errors" or name == "revision" or name == "targets" or command.find(name), name)
    end
  end)

  it("describes what every command prints", function()
    local url, folder = server.database(), cli.project(files())
    local used = {}
    for _, run in ipairs(runs) do
      local ran = cli.run(run[1] .. " --json", { cwd = folder, env = { DATABASE_URL = url, EDITOR = "true" } })
      assert.equal(run.exit or 0, ran.status, run[1] .. "\n" .. ran.stdout .. ran.stderr)
      for line in ran.stdout:gmatch("[^\n]+") do
        local name = line:find('^{"error":') and "errors" or run[1]:match("^%S+")
        used[sections[name][check(sections, name, line)]] = true
      end
    end
    server.drop(url)
    for name, tables in pairs(sections) do
      for index, keys in ipairs(command.find(name) and tables or {}) do
        assert.truthy(used[keys], ("table %d of %s was never printed"):format(index, name))
      end
    end
  end)
end)
