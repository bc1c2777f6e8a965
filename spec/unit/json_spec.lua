local json = require "moontide.json"

describe("json", function()
  it("sorts keys", function()
    assert.equal('{"a":1,"b":{"c":true,"d":null}}', json.encode { b = { d = json.null, c = true }, a = 1 })
  end)

  it("writes a marked empty list as a list", function()
    assert.equal('{"list":[],"map":{}}', json.encode { list = json.array {}, map = {} })
  end)

  it("writes sequences as lists and integers without a point", function()
    assert.equal("[1,9007199254740993,\"x\"]", json.encode { 1, 9007199254740993, "x" })
  end)

  it("escapes text", function()
    assert.equal([["a\"b\\c\nd"]], json.encode 'a"b\\c\nd')
  end)
end)
