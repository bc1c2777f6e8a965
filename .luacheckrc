std = "lua54"
max_line_length = 120
codes = true
self = false -- a method may ignore its object: transports and sinks are interchangeable
files["spec"] = { std = "+busted" }

-- What a revision file defines, and the globals it is given.
local revision_file = {
  globals = { "revision", "down_revision", "branch_labels", "depends_on", "upgrade", "downgrade", "change", "verify" },
  read_globals = { "op", "sql", "null", "array", "json", "bytea", "context", "log" },
}
files["migrations/versions"] = revision_file
files["examples/plugins/versions"] = revision_file
files["examples/backfill/versions"] = revision_file
files["examples/plugins/citus/versions"] = revision_file

files["examples/plugins/models.lua"] = { read_globals = { "model" } }

files["lua/moontide/meta"] = { ignore = { "212" } } -- signatures without bodies
files["lua/moontide/meta/op.lua"] = { globals = { "op" } }   -- the global that it describes
files["lua/moontide/meta/model.lua"] = { globals = { "model" }, read_globals = { "op" } }
files["lua/moontide/meta/context.lua"] = {
  globals = { "revision", "down_revision", "branch_labels", "depends_on", "upgrade", "downgrade", "change", "verify",
    "sql", "null", "array", "json", "bytea", "context", "log" },
  ignore = { "631" }, -- the language server wants a type in one line
}
files["lua/moontide/meta/plugin.lua"] = { ignore = { "631" } }
