--- The files of the project: env.lua and the revisions.

local function check_heads(patient, graph, count)
  local heads = graph.heads
  local names = {}
  for i, head in ipairs(heads) do names[i] = type(head) == "table" and head.id or head end
  local text = ("%d revisions, head %s"):format(count, #names > 0 and table.concat(names, ", ") or "none")
  if #names > 1 then
    return patient:warn("revisions", ("%d revisions, %d heads: %s"):format(count, #names, table.concat(names, ", ")),
      "Join them with `moontide merge heads`, or upgrade to `heads`.")
  end
  patient:ok("revisions", text)
end

local function check_revisions(patient)
  local ok, script = pcall(patient.app.script, patient.app, { check = true })
  if not ok then return patient:fault("revisions", script) end
  patient.graph = script.graph
  check_heads(patient, script.graph, #script.revisions)
end

-- In the order in which they were set up.
local function list_plugins(patient, plugins)
  if #plugins == 0 then return end
  local words = {}
  for i, plugin in ipairs(plugins) do words[i] = plugin.name .. (plugin.version and " " .. plugin.version or "") end
  patient:ok("plugins", table.concat(words, ", "))
end

return function(patient)
  local ok, config = pcall(patient.app.config, patient.app)
  if not ok then return patient:fault("environment", config) end
  patient.config = config
  patient:ok("environment", config.file)
  list_plugins(patient, config.plugins)
  check_revisions(patient)
end
