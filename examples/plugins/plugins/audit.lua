--- Keeps every version of the rows of a table.
---
---     op.create_audit("users")
---
--- makes the table users_audit, a function that fills it, and the trigger that calls the
--- function: a row of the audit has who changed what, when, and the row before and after.

---@param moontide moontide.PluginApi
return function(moontide)
  moontide.name { name = "audit", version = "1.0", requires = { moontide = ">= 0.1" } }

  local check, quote, source = moontide.check, moontide.quote, moontide.source
  local shape = { schema = check.name }

  local function build(relation, options)
    local o = check.options(options, shape)
    o.table = check.name(relation, "the table name")
    return o
  end

  -- The names of the three objects, as SQL.
  local function names(o)
    return {
      relation = quote.qualified(o.schema, o.table),
      audit = quote.qualified(o.schema, o.table .. "_audit"),
      fn = quote.qualified(o.schema, o.table .. "_audit"),
      trigger = quote.ident(o.table .. "_audit"),
    }
  end

  local function write(name)
    return function(o) return source.call(name, o.table, o.schema and { schema = o.schema }) end
  end

  local function lock(o)
    return { { relation = names(o).relation, mode = "SHARE ROW EXCLUSIVE" } }
  end

  local body = [[

BEGIN
  INSERT INTO %s (action, before, after)
  VALUES (tg_op,
    CASE WHEN tg_op <> 'INSERT' THEN to_jsonb(OLD) END,
    CASE WHEN tg_op <> 'DELETE' THEN to_jsonb(NEW) END);
  RETURN NULL;
END
]]

  moontide.operation {
    name = "create_audit",
    summary = "Keep every version of the rows of a table",
    build = build,
    sql = function(o)
      local n = names(o)
      return {
        ("CREATE TABLE %s (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, action text NOT NULL, "
          .. "changed_by text NOT NULL DEFAULT current_user, changed_at timestamptz NOT NULL DEFAULT now(), "
          .. "before jsonb, after jsonb)"):format(n.audit),
        ("CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS %s")
          :format(n.fn, quote.dollar(body:format(n.audit))),
        ("CREATE TRIGGER %s AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION %s()")
          :format(n.trigger, n.relation, n.fn),
      }
    end,
    inverse = function(o) return { moontide.build("drop_audit", o.table, { schema = o.schema }) } end,
    lock = lock,
    source = write "create_audit",
  }

  -- Reversed only in the sense that keeping begins anew.
  moontide.operation {
    name = "drop_audit",
    summary = "Keep no more versions of the rows of a table, and drop those that were kept",
    build = build,
    sql = function(o)
      local n = names(o)
      return {
        ("DROP TRIGGER %s ON %s"):format(n.trigger, n.relation),
        ("DROP FUNCTION %s()"):format(n.fn),
        ("DROP TABLE %s"):format(n.audit),
      }
    end,
    inverse = function(o) return { moontide.build("create_audit", o.table, { schema = o.schema }) } end,
    lock = lock,
    source = write "drop_audit",
    destructive = function(o) return ('the versions of the rows of "%s" that were kept'):format(o.table) end,
  }
end
