-- What is said of what a backfill has made of the disk.

local growth = require "moontide.backfill.growth"

local mb = 1048576

describe("backfill.growth", function()
  local function words(before, after, wal) return growth.words("t", { before = before, after = after, wal = wal }) end

  it("says how large the table was and is, and what was written", function()
    assert.equal("t has grown from 5.0 MB to 12 MB with its indexes; the server has written 30 MB of WAL meanwhile",
      words(5 * mb, 12 * mb, 30 * mb))
    assert.equal("t has shrunk from 12 MB to 5.0 MB with its indexes; the server has written 0.5 MB of WAL meanwhile",
      words(12 * mb, 5 * mb, mb // 2))
    assert.equal("t is still 12 MB with its indexes; the server has written 20 GB of WAL meanwhile",
      words(12 * mb, 12 * mb + 8192, 20480 * mb))
  end)

  it("does not speak of little", function()
    assert.is_nil(words(12 * mb, 13 * mb - 1, mb - 1))
    assert.truthy(words(12 * mb, 13 * mb, 0))
    assert.truthy(words(12 * mb, 12 * mb, mb))
  end)
end)
