--- A formatter for new revision files: no tabs, no blanks at the ends of lines, one
--- newline at the end.

---@param moontide moontide.PluginApi
return function(moontide)
  moontide.name { name = "tidy", version = "1.0" }

  moontide.formatter {
    name = "tidy",
    run = function(_, text)
      text = text:gsub("\t", "  "):gsub("[ \r]+\n", "\n"):gsub("%s*$", "\n")
      return text
    end,
  }
end
