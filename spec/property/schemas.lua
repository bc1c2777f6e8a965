--- Random schemas as SQL. A schema is what a list of decisions makes: two of the same seed share
--- most decisions, so that the second is the first after a while of work on it.

local schemas = {}

-- A number for a text and a seed (FNV-1a), the same everywhere.
local function hash(seed, text)
  local number = 0xcbf29ce484222325 ~ (seed * 0x9E3779B97F4A7C15)
  for i = 1, #text do number = (number ~ text:byte(i)) * 0x100000001b3 end
  number = (number ~ (number >> 31)) * 0xBF58476D1CE4E5B9
  return (number ~ (number >> 29)) & 0x7fffffffffffffff
end

---@class spec.Decisions
---@field seed integer
---@field changed number  how many of a hundred decisions are made anew
local Decisions = {}
Decisions.__index = Decisions

function Decisions:number(path, count)
  local seed = self.seed
  if self.changed and hash(seed + 7, "changed " .. path) % 100 < self.changed then seed = seed + 1000003 end
  return hash(seed, path) % count + 1
end

function Decisions:pick(path, list) return list[self:number(path, #list)] end
function Decisions:chance(path, percent) return self:number(path, 100) <= percent end

-- Names -----------------------------------------------------------------------

local places = { "public", "app", "Ünï Cödé" }
local table_names = { "users", "Order Items", "größe", "select", "t5" }
local column_names = { "a", "B c", "naïve", "order", "e", "f" }

local function ident(name) return '"' .. name:gsub('"', '""') .. '"' end
local function literal(text) return "'" .. text:gsub("'", "''") .. "'" end

-- An object's place stays what it is: another schema is another object.
local function place(d, path) return d:pick("schema of " .. path, places) end
local function full(schema, name) return ident(schema) .. "." .. ident(name) end

---@class spec.Schema
---@field d spec.Decisions
---@field sql string[]
---@field tables table[]
local Schema = {}
Schema.__index = Schema

function Schema:add(text, ...) self.sql[#self.sql + 1] = text:format(...) end

function Schema:comment(path, what)
  local d = self.d
  if d:chance("comment " .. path, 15) then
    self:add("COMMENT ON %s IS %s", what, literal(d:pick("words " .. path, { "it's", "größer", "two\nlines" })))
  end
end

-- Types -----------------------------------------------------------------------

local label_lists = { { "1", "b", "c" }, { "1", "b", "c", "d'e" }, { "z", "1", "b", "c" }, { "c", "1", "b" },
  { "1", "c" } }

local function add_enum(self, name)
  local d, path = self.d, "enum " .. name
  if not d:chance(path, 80) then return end
  local labels = {}
  for i, label in ipairs(d:pick("labels of " .. path, label_lists)) do labels[i] = literal(label) end
  local as = full(place(d, path), name)
  self:add("CREATE TYPE %s AS ENUM (%s)", as, table.concat(labels, ", "))
  self:comment(path, "TYPE " .. as)
  self.types[#self.types + 1] = as
end

local domain_bases = { d1 = "integer", d2 = "text", d3 = "numeric(8,0)" }
local domain_defaults = { "", " DEFAULT '1'", " DEFAULT '2'" }
local domain_checks = { "", " CONSTRAINT small CHECK (VALUE < '9')", " CONSTRAINT small CHECK (VALUE < '8')",
  " CHECK (VALUE <> '7') CONSTRAINT other CHECK (VALUE <> '5')" }

local function add_domain(self, name)
  local d, path = self.d, "domain " .. name
  if not d:chance(path, 75) then return end
  local as = full(place(d, path), name)
  self:add("CREATE DOMAIN %s AS %s%s%s%s", as, domain_bases[name], d:pick("default of " .. path, domain_defaults),
    d:pick("null of " .. path, { "", "", " NOT NULL" }), d:pick("checks of " .. path, domain_checks))
  self:comment(path, "DOMAIN " .. as)
  if not self.sql[#self.sql]:find("NOT NULL", 1, true) then self.types[#self.types + 1] = as end
end

local attribute_types = { "integer", "text", "numeric(5,1)", "timestamptz", 'text COLLATE "C"' }

local function add_composite(self)
  local d, parts = self.d, {}
  if not d:chance("composite", 70) then return end
  for i = 1, 4 do
    if d:chance("attribute " .. i, 70) then
      parts[#parts + 1] = ident(column_names[i]) .. " " .. d:pick("type of attribute " .. i, attribute_types)
    end
  end
  local as = full(place(d, "composite"), "Pair")
  self:add("CREATE TYPE %s AS (%s)", as, table.concat(parts, ", "))
  self:comment("composite", "TYPE " .. as)
  self:add("CREATE FUNCTION %s(x %s) RETURNS integer LANGUAGE sql AS 'SELECT 1'", full("public", "of_pair"), as)
end

local function add_range(self)
  local d = self.d
  if not d:chance("range", 60) then return end
  self:add("CREATE TYPE %s AS RANGE (subtype = %s)", full("app", "span"),
    d:pick("subtype", { "float8", "float8", "text", "text, collation = \"C\"", "inet" }))
end

local function add_sequence(self, name)
  local d, path = self.d, "sequence " .. name
  if not d:chance(path, 70) then return end
  local as = full(place(d, path), name)
  self:add("CREATE SEQUENCE %s AS %s%s%s%s", as, d:pick("type of " .. path, { "bigint", "integer", "smallint" }),
    d:pick("step of " .. path, { "", " INCREMENT 5", " INCREMENT -1" }),
    d:pick("cache of " .. path, { "", " CACHE 7" }), d:pick("cycle of " .. path, { "", " CYCLE" }))
  self:comment(path, "SEQUENCE " .. as)
end

-- Code ------------------------------------------------------------------------

local function add_functions(self)
  local d = self.d
  if d:chance("function one", 90) then
    self:add("CREATE FUNCTION app.one(a integer%s) RETURNS %s LANGUAGE sql IMMUTABLE%s AS 'SELECT %s'",
      d:pick("arguments of one", { "", " DEFAULT 5", ", b text DEFAULT 'x'" }),
      d:pick("answer of one", { "integer", "integer", "bigint" }), d:pick("words of one", { "", " STRICT", " COST 7" }),
      d:pick("body of one", { "1", "2", "$1 + 1" }))
    self.has_one = true
  end
  self:add("CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql%s AS 'begin %s return new; end'",
    d:pick("words of touch", { "", " SECURITY DEFINER SET search_path = ''" }),
    d:pick("body of touch", { "", "perform 1;" }))
  if d:chance("procedure", 50) then
    self:add("CREATE PROCEDURE app.%s(x integer) LANGUAGE plpgsql AS 'begin end'",
      ident(d:pick("name of procedure", { "go", "Go" })))
    self:comment("procedure", ("PROCEDURE app.%s(integer)"):format(ident(d:pick("name of procedure", { "go", "Go" }))))
  end
end

--- What two schemas of a seed are.
---@param seed integer
---@return string from
---@return string to
function schemas.pair(seed)
  local function one(changed)
    local decisions = setmetatable({ seed = seed, changed = changed }, Decisions)
    return schemas.build(setmetatable({ d = decisions, sql = {}, tables = {}, types = {} }, Schema))
  end
  return one(nil), one(5 + hash(seed, "how much") % 40)
end

--- The SQL of a schema.
---@param self spec.Schema
---@return string
function schemas.build(self)
  for i = 2, #places do self:add("CREATE SCHEMA %s", ident(places[i])) end
  for _, name in ipairs { "mood", "Größe" } do add_enum(self, name) end
  for _, name in ipairs { "d1", "d2", "d3" } do add_domain(self, name) end
  add_composite(self)
  add_range(self)
  for _, name in ipairs { "seq", "Weird Seq" } do add_sequence(self, name) end
  add_functions(self)
  require("spec.property.tables")(self, table_names, column_names)
  require("spec.property.relations")(self)
  return table.concat(self.sql, ";\n") .. ";\n"
end

schemas.ident, schemas.literal, schemas.full, schemas.place = ident, literal, full, place

return schemas
