local digest = require "moontide.runtime.digest"

describe("digest.sha256", function()
  it("agrees with the published vectors", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", digest.sha256(""))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", digest.sha256("abc"))
    assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      digest.sha256(("a"):rep(1000000)))
  end)

  it("takes every byte, NUL included", function()
    assert.equal("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", digest.sha256("\0"))
    assert.not_equal(digest.sha256("a\0b"), digest.sha256("a\0c"))
  end)

  it("refuses what is no string", function()
    assert.error_matches(function() digest.sha256(nil) end, "string expected")
  end)
end)
