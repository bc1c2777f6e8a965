-- Enum types on real servers: run, read the catalog, undo, compare; and building types anew under all that uses them.

local catalog = require "spec.support.catalog"
local operations = require "spec.support.operations"
local rehearsal = require "spec.support.rehearsal"
local versions = require "spec.support.versions"

local cases, contains = rehearsal.cases, rehearsal.contains

local hostile = [[we"ird.n'äme $1 \ $moontide$]]

local fresh = rehearsal.fresh

local function run(fn)
  rehearsal.run(operations.collect(fn))
end

-- Everything that stands in the way of another type.
local everything = [[
  create type status as enum ('draft', 'sent', 'lost', 'paid');
  create type "O.ther".kind as enum ('x');
  comment on type status is 'it''s';
  grant usage on type status to moontide_reader with grant option;
  revoke usage on type status from public;
  alter type status owner to moontide_owner;
  create table orders (id int primary key, status status not null default 'draft', history status[] default '{draft}',
    previous status, constraint known check (status <> 'lost' or previous = 'draft'),
    constraint differ check (previous <> status),
    exclude using btree (id with =) where (status = 'draft'));
  comment on constraint known on orders is 'known''s comment';
  create unique index one_draft on orders (id) where status = 'draft';
  create index by_status on orders (status, previous);
  comment on index one_draft is 'only one';
  create table lookup (status status primary key);
  alter table orders add constraint listed foreign key (status) references lookup not valid;
  create table events (at date, status status default 'sent', check (status <> 'draft')) partition by range (at);
  create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
  create index on events ((status = 'sent'));
  alter table events_2026 alter status set default 'paid';
  insert into lookup values ('draft'), ('sent'), ('paid');
  insert into orders values (1, 'draft', '{draft,sent}', null), (2, 'paid', '{}', 'sent');
  insert into events values ('2026-05-05', 'sent');
]]

versions.each(function(_, database)
  local conn

  setup(function() conn = rehearsal.open(database()) end)

  teardown(function() conn:close() end)

  describe("enum types", function()
    cases {
      { "are created with owner, comment and privileges", "", function(op)
        op.create_enum(hostile, { "draft", hostile, "ö" }, { schema = "O.ther", owner = "moontide_owner",
          comment = "it's \\ here", grants = { { "usage", to = "moontide_reader", grantable = true } } })
        op.create_enum("empty", {})
      end, has = {
        "owner=moontide_owner acl=moontide_owner=U/moontide_owner,moontide_reader=U*/moontide_owner",
        "comment=it's \\ here labels={draft," } },
      { "are dropped, and come back with all they were", [[
        create type status as enum ('draft', 'sent');
        alter type status owner to moontide_owner;
        comment on type status is 'it''s';
        grant usage on type status to moontide_reader with grant option;
        create type closed as enum ('a');
        revoke usage on type closed from public;
        create type "O.ther"."Plain" as enum ()]], function(op)
        op.drop_enum "status"
        op.drop_enum "closed"
        op.drop_enum("Plain", { schema = "O.ther" })
        op.drop_enum("absent", { if_exists = true })
        op.create_enum("other", { "x" })
      end },
      { "come back although their owner may not use them", [[
        create type status as enum ('draft');
        grant all on type status to moontide_reader;
        revoke all on type status from public]], function(op) op.drop_enum "status" op.create_enum("z", { "z" }) end },
      { "are renamed and moved", "create type status as enum ('a')", function(op)
        op.rename_enum("status", "state")
        op.set_enum_schema("state", "O.ther")
        op.rename_enum("state", "Status", { schema = "O.ther" })
      end, has = { [["O.ther"."Status"]] } },
      { "get new labels", "create type status as enum ('b', 'd')", function(op)
        op.add_enum_value("status", "a", { before = "b" })
        op.add_enum_value("status", "c", { after = "b" })
        op.add_enum_value("status", hostile)
        op.add_enum_value("status", "b", { if_not_exists = true })
        op.add_enum_value("status", "e", { if_not_exists = true, in_transaction = true })
      end, has = { "labels={a,b,c,d," } },
      { "get other names of labels", "create type status as enum ('a', 'b')", function(op)
        op.rename_enum_value("status", "a", hostile)
      end, has = { "labels={" } },
      { "get another list of labels", "create type status as enum ('a', 'b')", function(op)
        op.alter_enum("status", { "0", "a", "1", "b", "2" })
        op.alter_enum("status", { "b", "a" })
        op.alter_enum("status", { "c", "b", "a", "d" })
      end, has = { "labels={c,b,a,d}" } },
    }

    it("are built anew under columns, defaults, constraints, indexes and rows", function()
      conn:script(fresh .. everything)
      local before = catalog.lines(conn)
      local list = operations.collect(function(op)
        op.drop_enum_value("status", "lost", { existing = { "draft", "sent", "lost", "paid" } })
      end)
      local problem = select(2, pcall(rehearsal.run, list))
      assert.equal('invalid input value for enum status: "lost"', problem.message)
      assert.same(before, catalog.lines(conn))
      conn:script "alter table orders drop constraint known"
      before = catalog.lines(conn)
      rehearsal.run(list)
      local added = catalog.added(catalog.lines(conn), before)
      assert.equal(1, #added, table.concat(added, "\n"))
      assert.truthy(contains(added, "labels={draft,sent,paid}"))
      rehearsal.run(operations.undo(list))
      assert.same(before, catalog.lines(conn))
      assert.equal("draft", conn:exec("select status from orders where id = 1")[1].status)
      assert.equal("{draft,sent}", conn:exec("select history from orders where id = 1")[1].history)
    end)

    it("are built anew with other labels for the rows that had the one", function()
      conn:script(fresh .. everything)
      conn:script [[alter table orders drop constraint known, drop constraint listed, drop constraint differ;
        drop table lookup; drop index events_expr_idx]]
      run(function(op)
        op.alter_enum("status", { "paid", "draft", "done %s" }, { replace = { sent = "done %s", lost = "done %s" } })
      end)
      assert.same({ "paid", "done %s" }, { conn:exec("select status from orders where id = 2")[1].status,
        conn:exec("select previous from orders where id = 2")[1].previous })
      assert.equal('{draft,"done %s"}', conn:exec("select history from orders where id = 1")[1].history)
      assert.equal("done %s", conn:exec("select status from events")[1].status)
      assert.truthy(contains(catalog.lines(conn), [[events.status status notnull=f default='done %s'::status]]))
    end)

    it("are left alone when something uses them that cannot be put back", function()
      conn:script(fresh .. [[create type status as enum ('a', 'b'); create table t (s status);
        create view v as select s from t;
        create type other as enum ('a', 'b');
        create function f(other) returns int language sql as 'select 1']])
      local before = catalog.lines(conn)
      local problem = select(2, pcall(run, function(op) op.drop_enum_value("status", "a") end))
      assert.equal("0A000", problem.sqlstate)
      problem = select(2, pcall(run, function(op) op.drop_enum_value("other", "a") end))
      assert.equal("2BP01", problem.sqlstate)
      assert.truthy(problem.detail:find("function f", 1, true))
      assert.same(before, catalog.lines(conn))
    end)

    it("keep their values when labels are only added, also where the server has to find out", function()
      conn:script(fresh .. [[create type status as enum ('b', 'd');
        create table t (s status); create view v as select s from t]])
      run(function(op) op.alter_enum("status", { "a", "b", "c", "d", "e" }) end)
      assert.same({ "a", "b", "c", "d", "e" }, (function(labels)
        for i, row in ipairs(conn:exec "select enumlabel::text as l from pg_enum order by enumsortorder") do
          labels[i] = row.l
        end
        return labels
      end) {})
    end)

    it("refuse to lose a label they have not, and to be something else", function()
      conn:script(fresh .. [[create type status as enum ('b', 'd');
        create domain d as int]])
      local problem = select(2, pcall(run, function(op) op.drop_enum_value("status", "it's") end))
      assert.same({ "42704", [[enum status has no label "it's"]] }, { problem.sqlstate, problem.message })
      problem = select(2, pcall(run, function(op) op.drop_enum_value("d", "a") end))
      assert.same({ "42809", "d is not an enum" }, { problem.sqlstate, problem.message })
    end)
  end)
end)
