--- Procedures.

local routine = require "moontide.object.routine"

routine.register {
  thing = "procedure",
  words = "PROCEDURE",
  summaries = { "Create a procedure, or replace one", "Drop a procedure", "Rename a procedure" },
  shape = {},
  example = 'body = "delete from old"',
  kinds = "'p'",
}
