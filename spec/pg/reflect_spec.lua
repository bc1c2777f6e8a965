-- The database as a model file: an empty database that is built from the file has the same catalog.

local cli = require "spec.support.cli"
local cjson = require "cjson"
local lfs = require "lfs"
local models = require "spec.support.models"
local server = require "spec.support.server"
local shell = require "spec.support.shell"

local function reflect(url) return (cli.ok({ "--url", url, "reflect" }, { cwd = cli.project() })) end

local function expect_same(url)
  local text = reflect(url)
  local copy = models.built(text)
  assert.same(models.catalog(url), models.catalog(copy))
  assert.equal(text, reflect(copy))
  server.drop(url)
  server.drop(copy)
  return text
end

local hostile = {
  [[it's]], [["quoted"]], [[a"b]], [[a.b]], [[back\slash]], "tab\tand\nnewline", " lead and trail ", "select", "Order",
  "таблица", "\u{1F600}", "$1", "$$", "a--b", "%s%d%%", "]]", "{schemas}", ("n"):rep(63),
}

describe("moontide reflect", function()
  it("prints a file that builds the same database", function()
    local text = expect_same(models.database(shell.read("spec/support/everything.sql")))
    assert.falsy(text:find("Not modelled", 1, true))
  end)

  it("prints an empty database as a file without declarations", function()
    local text = expect_same(models.database())
    assert.falsy(text:find("\nmodel", 1, true))
  end)

  it("keeps hostile names and texts", function()
    local parts = {}
    for i, name in ipairs(hostile) do
      local ident, literal = '"' .. name:gsub('"', '""') .. '"', "'" .. name:gsub("'", "''") .. "'"
      parts[#parts + 1] = ([[
create schema {i}; create type {i}.{i} as enum ({l}, 'b');
create table {i}."t" ({i} int primary key, c {i}.{i} default {l} check (c <> {l}),
  u int references {i}."t" ({i}));
comment on table {i}."t" is {l}; comment on column {i}."t".{i} is {l};
create index {x} on {i}."t" ({i}, c) where c = {l};
create view {i}.v as select {i}, {l}::text as {x} from {i}."t"; comment on view {i}.v is {l};
create function {i}.{i}({x} int default 1) returns text language plpgsql as 'begin return {b}; end';
]]):gsub("{(%a)}", { i = ident, l = literal, x = '"x' .. i .. '"', b = "''" .. i .. "''" })
    end
    expect_same(models.database(table.concat(parts)))
  end)

  it("prints what the sample migrations made", function()
    local url = server.database()
    cli.ok({ "--url", url, "upgrade", "heads" }, { cwd = lfs.currentdir() })
    local text = reflect(url)
    assert.falsy(text:find("moontide.version", 1, true))
    local copy = models.built(text)
    assert.equal(text:gsub("\n\n%-%- Not modelled.*", "\n"), (reflect(copy):gsub("\n\n%-%- Not modelled.*", "\n")))
    server.drop(url)
    server.drop(copy)
  end)

  it("lists what it cannot say", function()
    local url = models.database [[
create aggregate total(int) (sfunc = int4pl, stype = int);
create table t (a int, b int); create statistics st on a, b from t; grant select on t to public;
create publication everything for table t; alter default privileges grant select on tables to public;
create table parent (a int default 1) partition by list (a); create table part partition of parent default;
alter table part alter a set default 2]]
    local text = reflect(url)
    for _, line in ipairs { "aggregate public.total(integer)", "statistics public.st", "privileges public.t",
      "publication everything", "default privileges postgres", "column different from its parent's public.part.a" } do
      assert.truthy(text:find("--   " .. line, 1, true), line .. "\n" .. text)
    end
    server.drop(url)
  end)

  it("answers JSON, and writes a file that is not there", function()
    local url, folder = models.database "create table t (a int primary key)", cli.project()
    local document = cjson.decode((cli.ok({ "--url", url, "reflect", "--json" }, { cwd = folder })))
    assert.equal("table", document.objects[1].kind)
    assert.truthy(document.objects[1].source:find('^model.table%("t"'))
    cli.ok({ "--url", url, "reflect", "-o", "models.lua" }, { cwd = folder })
    assert.truthy(shell.read(folder .. "/models.lua"):find('model.table("t"', 1, true))
    local again = cli.run({ "--url", url, "reflect", "-o", "models.lua" }, { cwd = folder })
    assert.equal(1, again.status)
    server.drop(url)
  end)

  it("reads in a number of statements that does not depend on the database", function()
    local list = require("moontide.fact").statements()
    assert.truthy(#list < 25)
  end)
end)
