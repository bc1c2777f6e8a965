-- docs/revisions.md is true: its files are written, its commands run, and what they print is what it shows.

local document = require "spec.support.document"

describe("docs/revisions.md", function()
  it("shows what happens", function()
    local written, real = document.run "docs/revisions.md"
    assert.equal(written, real)
  end)
end)
