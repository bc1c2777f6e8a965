--- New inputs out of old ones, by a generator of random numbers that anybody can repeat.

local mutate = {}

local function cut(text)
  local first = math.random(#text + 1)
  local last = math.min(#text, first + math.random(0, 16))
  return text:sub(1, first - 1), text:sub(first, last), text:sub(last + 1)
end

local function pick(list) return list[math.random(#list)] end

local ways = {
  function(text)
    local before, _, after = cut(text)
    return before .. string.char(math.random(0, 255)) .. after
  end,
  function(text)
    local before, _, after = cut(text)
    return before .. after
  end,
  function(text)
    local before, middle, after = cut(text)
    return before .. middle:rep(math.random(2, 40)) .. after
  end,
  function(text, corpus)
    local before = cut(text)
    local _, middle, after = cut(pick(corpus))
    return before .. middle .. after
  end,
  function(text, _, words)
    local before, middle, after = cut(text)
    return before .. middle .. pick(words) .. after
  end,
  function(text, _, words)
    local before, _, after = cut(text)
    return before .. pick(words):rep(math.random(2, 200)) .. after
  end,
}

--- A text made from one of a corpus.
---@param corpus string[]
---@param words string[]
---@return string
function mutate.one(corpus, words)
  local text = pick(corpus)
  for _ = 1, math.random(4) do text = pick(ways)(text, corpus, words) end
  return text:sub(1, 16384)
end

return mutate
