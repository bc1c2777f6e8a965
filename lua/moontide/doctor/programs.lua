--- Programs that only `moontide dev` needs: what is missing is a warning.

local binaries = require "moontide.devserver.binaries"

return function(patient)
  local ok, server = pcall(binaries.find)
  if not ok then return patient:fault("dev server", server) end
  if server then
    patient:ok("dev server", ("PostgreSQL %s in %s"):format(server.version, server.folder))
  else
    patient:warn("dev server", "no PostgreSQL server programs on this machine",
      "`moontide dev` needs them: install the package postgresql, or set $MOONTIDE_PGBIN.")
  end
  if binaries.psql(server) then return patient:ok("psql", binaries.psql(server)) end
  patient:warn("psql", "not installed", "`moontide dev psql` needs it: install the package postgresql-client.")
end
