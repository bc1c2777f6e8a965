--- The result as a table in Markdown. Pure.

local heading = { "case", "moontide", "reference", "ratio", "aim", "server CPU", "peak memory", "of reference" }

local function time(seconds)
  if seconds < 0.1 then return ("%.1f ms"):format(seconds * 1000) end
  if seconds < 1 then return ("%.0f ms"):format(seconds * 1000) end
  return ("%.2f s"):format(seconds)
end

local function memory(kib) return ("%.1f MiB"):format(kib / 1024) end

local function cells(row)
  return {
    row.title, time(row.seconds[1]), ("%s %s"):format(time(row.seconds[2]), row.reference),
    ("%.2f"):format(row.ratio), row.aim and (row.speed and ">= %.2f" or "%.1f"):format(row.aim) or "",
    row.cpu and ("%.2f"):format(row.cpu) or "", memory(row.kib[1]), memory(row.kib[2]),
  }
end

local function widths(lines)
  local list = {}
  for _, line in ipairs(lines) do
    for index, cell in ipairs(line) do list[index] = math.max(list[index] or 3, #cell) end
  end
  return list
end

local function padded(line, width, fill)
  local out = {}
  for index = 1, #heading do
    local cell = line[index] or ""
    out[index] = cell .. (fill or " "):rep(width[index] - #cell)
  end
  return "| " .. table.concat(out, " | ") .. " |\n"
end

--- A table of rows as `Samples:row` makes them.
---@param rows table[]
---@return string
return function(rows)
  local lines, out = { heading }, {}
  for index, row in ipairs(rows) do lines[index + 1] = cells(row) end
  local width = widths(lines)
  for index, line in ipairs(lines) do
    out[#out + 1] = padded(line, width)
    if index == 1 then out[#out + 1] = padded({}, width, "-") end
  end
  return table.concat(out)
end
