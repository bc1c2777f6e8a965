--- A function of rows with a name, for op.backfill { ..., each = "lower_host" }: host names of
--- addresses in lower case. What stands before the @ may mean something else in capitals.

---@param moontide moontide.PluginApi
return function(moontide)
  moontide.name { name = "hosts", version = "1.0" }

  moontide.backfill_transform {
    name = "lower_host",
    summary = "the host name of an address in lower case",
    each = function(row)
      local name, host = row.address:match("^(.*@)(.*)$")
      if host and host ~= host:lower() then return { address = name .. host:lower() } end
    end,
  }
end
