--- Random migration projects whose every effect can be counted. Each step that must
--- happen once inserts a row into the table `effects`, which knows no uniqueness.

local cli = require "spec.support.cli"

local project = {}

local function effect(label) return ('op.execute("INSERT INTO effects VALUES ($1)", "%s")'):format(label) end

-- Kinds of steps: { text of upgrade, labels of its effects, text of downgrade }.
local steps = {}

function steps.plain(label, name)
  return ('op.execute("CREATE TABLE %s (id integer, note text)")\n  %s'):format(name, effect(label)), { label },
    ('op.execute("DROP TABLE %s")\n  %s'):format(name, effect("down " .. label))
end

function steps.concurrent(label, name)
  local text = ('op.execute("CREATE TABLE %s (id integer)")\n  '):format(name) .. effect(label .. " before")
    .. ('\n  op.execute("INSERT INTO %s SELECT generate_series(1, 2000)")'):format(name)
    .. ('\n  op.create_index("ix_%s", "%s", { "id" }, { concurrently = true })\n  '):format(name, name)
    .. effect(label .. " after")
  return text, { label .. " before", label .. " after" },
    ('op.drop_index("ix_%s", { concurrently = true })\n  op.execute("DROP TABLE %s")\n  '):format(name, name)
    .. effect("down " .. label)
end

function steps.autocommit(label, name)
  local text = ('op.execute("CREATE TABLE %s (id integer)")\n  op.autocommit(function()\n    '):format(name)
    .. effect(label .. " one") .. "\n    " .. ('op.execute("VACUUM %s")'):format(name) .. "\n    "
    .. effect(label .. " two") .. "\n  end)"
  return text, { label .. " one", label .. " two" },
    ('op.autocommit(function() op.execute("DROP TABLE %s") end)\n  '):format(name) .. effect("down " .. label)
end

-- A value that is different each time it is asked for decides what follows.
function steps.reading(label, name)
  local text = ('op.execute("CREATE TABLE %s (id bigint)")\n  local n = op.scalar("SELECT nextval(\'counter\')")\n  ')
    :format(name)
    .. ('op.transaction(function() op.execute("INSERT INTO %s VALUES ($1)", n) end)\n  '):format(name)
    .. ('op.transaction(function() op.execute("INSERT INTO %s VALUES ($1)", n) end)\n  '):format(name) .. effect(label)
  return text, { label }, ('op.execute("DROP TABLE %s")\n  '):format(name) .. effect("down " .. label)
end

function steps.online(label, name)
  local text = ('op.execute("CREATE TABLE %s (id integer, a integer)")\n  '):format(name) .. effect(label .. " before")
    .. ('\n  op.execute("INSERT INTO %s SELECT i, i FROM generate_series(1, 2000) i")'):format(name)
    .. ('\n  op.create_primary_key("pk_%s", "%s", { "id" }, { online = true })'):format(name, name)
    .. ('\n  op.alter_column("%s", "a", { nullable = false, online = true })'):format(name)
    .. ('\n  op.create_foreign_key("fk_%s", "%s", "%s", "a", "id", { online = true })\n  '):format(name, name, name)
    .. effect(label .. " after")
  return text, { label .. " before", label .. " after" },
    ('op.drop_constraint("fk_%s", "%s", { online = true })\n  op.execute("DROP TABLE %s")\n  '):format(name, name, name)
    .. effect("down " .. label)
end

local kinds = { "plain", "plain", "online", "concurrent", "autocommit", "reading" }

local function revision(index, random)
  local id, ups, downs, labels = ("r%02d"):format(index), {}, {}, {}
  for step = 1, random(1, 3) do
    local kind = kinds[random(1, #kinds)]
    local up, effects, down = steps[kind](("%s.%d"):format(id, step), ("%s_%d"):format(id, step))
    ups[#ups + 1] = "  " .. up
    table.insert(downs, 1, "  " .. down)
    table.move(effects, 1, #effects, #labels + 1, labels)
    labels.down = labels.down or {}
    table.insert(labels.down, ("down %s.%d"):format(id, step))
  end
  return { id = id, up = table.concat(ups, "\n"), down = table.concat(downs, "\n"), labels = labels }
end

-- Mostly a line; now and then a branch that is merged two revisions later.
local function parents_of(index, random, open)
  if index == 1 then return nil end
  if open.branch then
    local both = { open.branch, ("r%02d"):format(index - 1) }
    open.branch = nil
    return both
  end
  if index > 3 and random(1, 4) == 1 then
    open.branch = ("r%02d"):format(index - 1)
    return ("r%02d"):format(index - 2) ~= open.parent and ("r%02d"):format(index - 2) or open.branch
  end
  return ("r%02d"):format(index - 1)
end

--- Write a project.
---@param count integer                        revisions
---@param random fun(low: integer, high: integer): integer
---@return string folder
---@return { up: string[], down: string[] } effects  labels that must have taken effect once
function project.write(count, random)
  local files, open, effects = {}, {}, { up = {}, down = {} }
  for index = 1, count do
    local made = revision(index, random)
    files["migrations/versions/" .. made.id .. ".lua"] =
      cli.revision(made.id, parents_of(index, random, open), { upgrade = made.up, downgrade = made.down })
    table.move(made.labels, 1, #made.labels, #effects.up + 1, effects.up)
    table.move(made.labels.down, 1, #made.labels.down, #effects.down + 1, effects.down)
  end
  return cli.project(files), effects
end

return project
