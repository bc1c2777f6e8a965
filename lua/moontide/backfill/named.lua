--- Functions of rows that plugins give a name, for `each` and `each_chunk` of op.backfill.

---@class moontide.BackfillTransform
---@field name string
---@field summary string
---@field each? fun(row: table): table?
---@field each_chunk? fun(rows: table[]): table[]
---@field version? string  of the plugin
---@field from string

return require("moontide.registry").new { what = "backfill transform" }
