--- The manual page, from the declarations that the help is made of. Pure: what
--- `commandline.declared` says in, roff out.

local manual = {}

-- A dot or a quote at the beginning of a line would be a request; a plain minus may become a dash.
local function escaped(text)
  text = text:gsub("\\", "\\e"):gsub("-", "\\-"):gsub("%s*\n%s*", " ")
  return (text:gsub("^([.'])", "\\&%1"))
end

-- What is between backquotes is to be typed as it is.
local function prose(text)
  return (escaped(text):gsub("`([^`]*)`", "\\fB%1\\fR"))
end

local function sentence(text)
  return prose(text) .. (text:find("%.$") and "" or ".")
end

local function bold(text) return "\\fB" .. escaped(text) .. "\\fR" end

local function italic(text) return "\\fI" .. escaped(text) .. "\\fR" end

local function option_term(option)
  local names = {}
  for index, name in ipairs(option.names) do names[index] = bold(name) end
  return table.concat(names, ", ") .. (option.argname and " " .. italic(option.argname) or "")
end

local function choices_text(entry)
  if not entry.choices or (entry.description or ""):find(entry.choices[1], 1, true) then return "" end
  return " (" .. table.concat(entry.choices, ", ") .. ")"
end

local function add_terms(add, entries, term_of)
  for _, entry in ipairs(entries) do
    add ".TP"
    add(term_of(entry))
    add(sentence((entry.description or "") .. choices_text(entry)))
  end
end

local function add_command(add, entry)
  add(('.SS "%s"'):format(escaped("moontide " .. entry.name)))
  add(bold(entry.usage))
  add ".PP"
  add(prose(entry.description))
  add_terms(add, entry.arguments, function(argument) return italic(argument.name) end)
  add_terms(add, entry.options, option_term)
end

local sections = {
  { "EXIT STATUS", {
    { "0", "done" },
    { "1", "the command ran and failed, or found what it looks for (`heads --single`, `current --check-heads`)" },
    { "2", "wrong usage or configuration" },
    { "130", "interrupted" },
  } },
  { "ENVIRONMENT", {
    { "DATABASE_URL", "the database, where neither `--url` nor the environment file names one" },
    { "DATABASE_URL_DIRECT", "the same without a connection pooler between; it wins" },
    { "MOONTIDE_CONFIG", "the environment file, in place of `--config`" },
    { "NO_COLOR", "when set to anything, nothing is coloured" },
    { "VISUAL, EDITOR", "the editor of `moontide edit`" },
    { "MOONTIDE_LUA_PATH", "a folder from which the library is read in place of the one in the program" },
    { "MOONTIDE_PGBIN", "the folder of the server programs for `moontide dev`" },
  } },
  { "FILES", {
    { "migrations/env.lua", "the settings; looked for here, then in the folders above" },
    { "migrations/versions", "the revision files, unless version_locations says otherwise" },
  } },
}

local function add_section(add, title, terms)
  add(('.SH "%s"'):format(title))
  for _, term in ipairs(terms) do
    add ".TP"
    add(bold(term[1]))
    add(sentence(term[2]))
  end
end

--- The manual page.
---@param declared moontide.Declared
---@param version string
---@return string
function manual.page(declared, version)
  local lines = {}
  local function add(line) lines[#lines + 1] = line end
  add(('.TH MOONTIDE 1 "" "moontide %s" "User Commands"'):format(version))
  add ".nh" -- names must not be broken
  add ".SH NAME"
  add("moontide \\- " .. escaped(declared.summary))
  add ".SH SYNOPSIS"
  add("\\fBmoontide\\fR [\\fIglobal options\\fR] \\fICOMMAND\\fR [\\fIoptions\\fR]")
  add ".SH DESCRIPTION"
  add(prose(declared.description))
  add '.SH "GLOBAL OPTIONS"'
  add_terms(add, declared.globals, option_term)
  add ".SH COMMANDS"
  for _, entry in ipairs(declared.commands) do add_command(add, entry) end
  for _, section in ipairs(sections) do add_section(add, section[1], section[2]) end
  return table.concat(lines, "\n") .. "\n"
end

return manual
