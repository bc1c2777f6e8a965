local operation = require "moontide.operation"
require "moontide.object"

describe("what an operation destroys", function()
  local cases = {
    { "drops the table app.t", "drop_table", "t", { schema = "app" } },
    { "drops the sequence s", "drop_sequence", "s" },
    { "drops the schema app and what depends on it", "drop_schema", "app", { cascade = true } },
    { "drops the extension hstore and what depends on it", "drop_extension", "hstore", { cascade = true } },
    { "drops the attribute city of the type address", "drop_attribute", "address", "city" },
    { "drops the partition p1", "drop_partition", "p1", "t" },
    { nil, "drop_schema", "app" },
    { nil, "drop_index", "ix" },
    { nil, "create_sequence", "s" },
  }
  for _, case in ipairs(cases) do
    it(("is told of %s: %s"):format(case[2], case[1] or "nothing"), function()
      assert.equal(case[1], operation.destructive(operation.build(table.unpack(case, 2, 4))))
    end)
  end
end)
