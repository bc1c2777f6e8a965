--- Random things that stand on tables: views on views, triggers, policies, rules, partitions, children.

local function schemas() return require "spec.property.schemas" end
local function ident(name) return schemas().ident(name) end

local function view_columns(self, t, path)
  local list, d = {}, self.d
  for i, c in ipairs(t.columns) do
    if i == 1 or d:chance("column of " .. path .. c.name, 50) then
      list[#list + 1] = i > 1 and d:chance("expression of " .. path .. c.name, 20)
        and ("%s::text AS %s"):format(ident(c.name), ident("the " .. c.name)) or ident(c.name)
    end
  end
  if self.has_one and d:chance("function in " .. path, 30) then list[#list + 1] = "app.one(1) AS one" end
  return table.concat(list, ", ")
end

local function views(self)
  local d = self.d
  for i, t in ipairs(self.tables) do
    local path = "view on " .. t.path
    if d:chance(path, 60) then
      local name = schemas().full(schemas().place(d, path), "view " .. i)
      local kind = d:chance("kind of " .. path, 25) and "MATERIALIZED VIEW" or "VIEW"
      self:add("CREATE %s %s%s AS SELECT %s FROM %s%s", kind, name,
        kind == "VIEW" and d:pick("options of " .. path, { "", "", " WITH (security_barrier)" }) or "",
        view_columns(self, t, path), t.full,
        d:pick("where of " .. path, { "", (" WHERE %s > 0"):format(ident(t.columns[1].name)) }))
      self:comment(path, kind .. " " .. name)
      if kind ~= "VIEW" and d:chance("index of " .. path, 50) then
        self:add("CREATE INDEX ON %s (%s)", name, ident(t.columns[1].name))
      end
      if d:chance("second " .. path, 50) then
        self:add("CREATE VIEW app.%s AS SELECT w.*, 1 AS more FROM %s w", ident("second " .. t.name), name)
        self:comment("second " .. path, "VIEW app." .. ident("second " .. t.name))
      end
    end
  end
end

local function triggers(self, t)
  local d = self.d
  if not d:chance("trigger of " .. t.path, 30) then return end
  local first = ident(t.columns[1].name)
  self:add("CREATE TRIGGER %s %s ON %s FOR EACH ROW %sEXECUTE FUNCTION public.touch()", ident "on change",
    d:pick("event of " .. t.path, { "BEFORE INSERT", "BEFORE INSERT OR UPDATE OF " .. first, "AFTER DELETE" }), t.full,
    d:pick("when of " .. t.path, { "", "", "WHEN (pg_trigger_depth() < 3) " }))
  if d:chance("off of " .. t.path, 20) then self:add("ALTER TABLE %s DISABLE TRIGGER %s", t.full, ident "on change") end
  self:comment("trigger " .. t.path, ("TRIGGER %s ON %s"):format(ident "on change", t.full))
end

local function policies(self, t)
  local d, c = self.d, t.columns[#t.columns]
  if not d:chance("policy of " .. t.path, 25) then return end
  self:add("CREATE POLICY own ON %s %sUSING (%s IS NOT NULL)", t.full,
    d:pick("command of " .. t.path, { "", "FOR SELECT ", "AS RESTRICTIVE " }), ident(c.name))
  if d:chance("security of " .. t.path, 50) then self:add("ALTER TABLE %s ENABLE ROW LEVEL SECURITY", t.full) end
end

local function rules(self, t)
  local d = self.d
  if not d:chance("rule of " .. t.path, 12) then return end
  self:add("CREATE RULE quiet AS ON DELETE TO %s WHERE old.%s = %s DO INSTEAD NOTHING", t.full,
    ident(t.columns[1].name), d:pick("number of rule " .. t.path, { "1", "2" }))
end

local lows, highs = { "minvalue", "0", "-5" }, { "5", "10", "20" }

-- One of them takes the row that there is.
local function partitions(self)
  local d = self.d
  if not d:chance("partitions", 70) then return end
  self:add("CREATE TABLE app.parts (k integer%s, v %s%s%s) PARTITION BY RANGE (k)",
    d:pick("null of k", { "", " NOT NULL" }), d:pick("type of v", { "integer", "text", "bigint" }),
    d:pick("check of v", { "", " CHECK (v IS NOT NULL)" }), d:pick("key of parts", { "", ", UNIQUE (k, v)" }))
  local names = { "p1", "p 2", "p3" }
  local bounds = {
    ("FOR VALUES FROM (%s) TO (%s)"):format(d:pick("low", lows), d:pick("high", highs)),
    ("FOR VALUES FROM (20) TO (%s)"):format(d:pick("high 2", { "30", "40" })), "DEFAULT",
  }
  for i, name in ipairs(names) do
    local path = "partition " .. name
    if i == 1 or d:chance(path, 70) then
      local state = i == 1 and 1 or d:number("state of " .. path, 4)
      if state == 4 then
        self:add("CREATE TABLE app.%s (k integer NOT NULL, v %s%s)", ident(name),
          d:pick("type of v", { "integer", "text", "bigint" }),
          d:pick("check of v", { "", ", CHECK (v IS NOT NULL)" }))
      else
        self:add("CREATE TABLE app.%s PARTITION OF app.parts %s", ident(name), bounds[i])
      end
    end
  end
  if d:chance("index of parts", 50) then
    self:add("CREATE INDEX %s ON app.parts (v)", ident(d:pick("name of index of parts", { "x", "Y" })))
  end
  self:add "INSERT INTO app.parts VALUES (1, 1)"
end

local function children(self)
  local d = self.d
  if not d:chance("children", 60) then return end
  self:add("CREATE TABLE mother (a integer%s, b %s)", d:pick("a of mother", { "", " DEFAULT 5", " CHECK (a > 0)" }),
    d:pick("b of mother", { "text", "integer" }))
  self:add "CREATE TABLE father (c integer)"
  local b = d:pick("b of mother", { "text", "integer" })
  self:add(d:pick("kind of child", {
    "CREATE TABLE child (d text) INHERITS (mother)", "CREATE TABLE child (d text) INHERITS (mother, father)",
    "CREATE TABLE child (a integer, b " .. b .. ", d text)", "CREATE TABLE child () INHERITS (father)",
    "CREATE TABLE child (a integer DEFAULT 7) INHERITS (mother)",
  }))
end

---@param self spec.Schema
return function(self)
  for _, t in ipairs(self.tables) do
    triggers(self, t)
    policies(self, t)
    rules(self, t)
  end
  partitions(self)
  children(self)
  views(self)
end
