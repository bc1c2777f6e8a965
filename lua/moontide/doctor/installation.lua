--- The program itself: its version and that of the libraries in it.

local function libpq_version(number)
  return ("%d.%d"):format(number // 10000, number % 10000)
end

return function(patient)
  local version = require "moontide.version"
  local libpq = require("moontide.db").libpq_version()
  patient:ok("installation", ("moontide %s, %s, libpq %s"):format(version, _VERSION, libpq_version(libpq)))
  if libpq < 140000 then
    patient:fail("libpq", "libpq has no pipeline mode", "Install libpq 14 or newer.")
  end
  local tree = os.getenv("MOONTIDE_LUA_PATH")
  if tree and tree ~= "" then
    patient:warn("library", ("Lua files are read from %s, not from the program"):format(tree),
      "Unset MOONTIDE_LUA_PATH unless you work on moontide itself.")
  end
end
