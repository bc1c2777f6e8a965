--- A hook: the comment of the database says which revision it is at, for those who
--- look at it with other tools. It is set in the revision's own transaction.

---@param moontide moontide.PluginApi
return function(moontide)
  moontide.name { name = "signpost", version = "1.0" }

  ---@param event moontide.HookEvent
  moontide.hook("after_revision", function(event)
    local what = event.direction == "upgrade" and "after the upgrade" or "after the downgrade"
    local text = ("%s %s: %s"):format(what, event.revision, event.message)
    event.op.execute("DO " .. moontide.quote.dollar(
      ("BEGIN EXECUTE format('COMMENT ON DATABASE %%I IS %%L', current_database(), %s); END")
        :format(moontide.quote.literal(text))))
  end)
end
