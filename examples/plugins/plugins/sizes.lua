--- A command: `moontide sizes` lists the tables of the database, largest first.

---@param moontide moontide.PluginApi
return function(moontide)
  moontide.name { name = "sizes", version = "1.0" }

  local report = moontide.report

  local query = [[
SELECT c.oid::regclass::text AS name, pg_total_relation_size(c.oid) AS bytes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\_toast%' AND ($1::text IS NULL OR n.nspname = $1)
ORDER BY bytes DESC, name LIMIT $2]]

  moontide.command {
    name = "sizes",
    summary = "list the tables of the database, largest first",
    options = function(command)
      command:option("--schema", "only those of this schema"):argname("SCHEMA")
      command:option("--limit", "how many"):argname("COUNT"):default("20"):convert(math.tointeger)
    end,
    run = function(app, args)
      local rows = app:connect():exec(query, { args.schema, args.limit, n = 2 })
      for _, row in ipairs(rows) do
        if report.is_json() then
          report.json { name = row.name, bytes = row.bytes }
        else
          report.out(("%10d kB  %s"):format(row.bytes // 1024, row.name))
        end
      end
    end,
  }
end
