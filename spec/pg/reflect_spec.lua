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
create table t (a int, b int, c int generated always as identity);
grant usage on sequence t_c_seq to public; create operator family of using btree; create type shell;
create collation coll from "C"; create conversion conv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create text search dictionary dict (template = simple); create text search configuration conf (copy = simple);
create operator === (leftarg = int, rightarg = int, function = int4eq); create foreign data wrapper fdw;
create server srv foreign data wrapper fdw; create user mapping for public server srv;
create foreign table ft (a int) server srv; create cast (int as box) with inout;
create access method am type table handler heap_tableam_handler; create function ev() returns event_trigger
language plpgsql as 'begin end'; create event trigger et on ddl_command_end execute function ev();
create text search template tmpl (lexize = dsimple_lexize); create operator class oc for type int using hash as
operator 1 =, function 1 hashint4(int4); create text search parser prs (start = prsd_start, gettoken = prsd_nexttoken,
end = prsd_end, lextypes = prsd_lextype);
create role "some owner"; create schema theirs authorization "some owner";
create function theirs.own() returns int language sql as 'select 1'; alter function theirs.own owner to "some owner";
create type theirs.own as enum ('a'); alter type theirs.own owner to "some owner";
create trusted language lan handler plpgsql_call_handler;
create transform for int language lan (from sql with function numeric_support(internal));
create publication everything for table t; alter default privileges grant select on tables to public;
create table parent (a int default 1) partition by list (a); create table part partition of parent default;
alter table part alter a set default 2]]
    local text = reflect(url)
    for _, line in ipairs { "grant public.t_c_seq",
      "operator family public.of", "base type public.shell",
      "collation public.coll", "conversion public.conv", "text search dictionary public.dict", "cast integer AS box",
      "text search configuration public.conf", "operator public.===(integer, integer)", "foreign data wrapper fdw",
      "server srv", "user mapping public on srv", "foreign table public.ft", "access method am", "event trigger et",
      "text search template public.tmpl", "text search parser public.prs", "operator class public.oc", "language lan",
      "transform integer for lan", "owner theirs (some owner)", "owner theirs.own (some owner)",
      "default privileges postgres", "column different from its parent's public.part.a" } do
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
