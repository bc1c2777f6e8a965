-- examples/sqlmodel is true: the commands of its README are typed in a copy, with Python and SQLModel.

local document = require "spec.support.document"
local shell = require "spec.support.shell"

-- Debian's packages belong to Debian's Python, which need not be the first.
local function find_python()
  for _, path in ipairs { "/usr/bin/python3", shell.capture "command -v python3 || true" } do
    if path ~= "" and os.execute(shell.quote(path) .. " -c 'import sqlmodel' 2>/dev/null") then return path end
  end
end

describe("examples/sqlmodel", function()
  local python = find_python()
  if not python then
    io.stderr:write("skipped: examples/sqlmodel (apt-get install python3-sqlmodel)\n")
    return
  end

  it("does what its README says", function()
    local written, real = document.run("examples/sqlmodel/README.md",
      { files = "examples/sqlmodel", programs = { python3 = python } })
    assert.equal(written, real)
  end)
end)
