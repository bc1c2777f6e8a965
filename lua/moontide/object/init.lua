--- Every kind of database object, in the order their operations are listed.
--- Loading a file registers its operations; this list is the only other place to edit for a new kind.

local files = {
  "table", "add_column", "alter_column", "alter_table", "index", "key", "foreign_key", "check_constraint", "exclude",
  "constraint", "comment", "comment_on", "partition", "setting", "inheritance", "statistics", "set_schema",
  "enum", "enum_label", "domain", "domain_constraint", "composite", "attribute", "range",
  "schema", "extension", "sequence", "view", "materialized_view", "func", "procedure", "alter_routine",
  "aggregate", "cast", "trigger", "event_trigger", "rule", "policy", "publication", "server", "user_mapping",
  "owner", "privilege", "default_privilege", "data", "statement", "backfill", "require_backfill",
}

for _, name in ipairs(files) do require("moontide.object." .. name) end

return files
