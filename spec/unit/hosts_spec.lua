local hosts = require "moontide.hosts"

describe("hosts", function()
  it("counts those of a connection string", function()
    assert.equal(1, hosts.count { dbname = "d" })
    assert.equal(1, hosts.count { host = "a" })
    assert.equal(3, hosts.count { host = "a,b,c" })
    assert.equal(2, hosts.count { hostaddr = "10.0.0.1,10.0.0.2" })
  end)

  it("leaves those behind one, with their ports and addresses", function()
    local keywords = { host = "a,b,c", port = "1,2,3", hostaddr = "10.0.0.1,,10.0.0.3", password = [[it's\]],
      dbname = "d" }
    assert.equal([[dbname='d' host='b,c' hostaddr=',10.0.0.3' password='it\'s\\' port='2,3']],
      hosts.behind(keywords, "a"))
    assert.equal("host='c' port='5432'", hosts.behind({ host = "a,b,c", port = "5432" }, "b"))
  end)

  it("knows nothing behind the last, and of one that is not there", function()
    assert.is_nil(hosts.behind({ host = "a,b" }, "b"))
    assert.is_nil(hosts.behind({ host = "a,b" }, "c"))
    assert.is_nil(hosts.behind({ host = "a" }, "a"))
    assert.is_nil(hosts.behind({}, ""))
  end)
end)
