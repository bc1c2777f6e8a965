--- What a COPY loads, on its way to those who take it: the server, a checksum, or
--- both. Each has the methods `rows` and `write`.

local feed = {}

-- Rows that are encoded at a time.
local batch = 1000

local function rows(source, takers)
  for first = 1, #source.rows, batch do
    local list = table.move(source.rows, first, math.min(first + batch - 1, #source.rows), 1, {})
    for _, taker in ipairs(takers) do taker:rows(list, source.columns) end
  end
end

local function chunks(source, takers)
  for chunk in source.chunks do
    for _, taker in ipairs(takers) do taker:write(chunk) end
  end
end

--- Give everything to everybody, in constant memory.
---@param source { rows?: table[], columns?: string[], chunks?: fun(): string? }
---@param ... any  who takes it
function feed.into(source, ...) (source.rows and rows or chunks)(source, { ... }) end

return feed
