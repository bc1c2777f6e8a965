--- The nearest right word to a misspelt one.

local suggest = {}

-- Optimal string alignment: insertions, deletions, substitutions and swaps of
-- neighbours each count one.
local function next_row(a, b, i, before, last)
  local row = { [0] = i }
  for j = 1, #b do
    local same = a:byte(i) == b:byte(j)
    local best = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
    if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
      best = math.min(best, before[j - 2] + 1)
    end
    row[j] = best
  end
  return row
end

--- The edit distance between two words.
---@param a string
---@param b string
---@return integer
function suggest.distance(a, b)
  local before, last = nil, { [0] = 0 }
  for j = 1, #b do last[j] = j end
  for i = 1, #a do before, last = last, next_row(a, b, i, before, last) end
  return last[#b]
end

-- A third of the letters may be wrong; more is a different word.
local function tolerance(word)
  return math.max(1, #word // 3)
end

local function is_better(candidate, distance, nearest, least)
  if not nearest or distance ~= least then return not nearest or distance < least end
  if #candidate ~= #nearest then return #candidate > #nearest end
  return candidate < nearest
end

--- The word of a list that is most like the given one, without regard to case;
--- nil when none is near enough to be meant. Of equally near ones the longest (a
--- letter is sooner left out than put in), then the first in the alphabet, so
--- that the answer does not depend on the order of the list.
---@param word string
---@param list string[]
---@return string? nearest
---@return integer? distance
function suggest.nearest(word, list)
  local lower, limit = word:lower(), tolerance(word)
  local nearest, least
  for _, candidate in ipairs(list) do
    if math.abs(#candidate - #word) <= limit then
      local distance = suggest.distance(lower, candidate:lower())
      if distance <= limit and is_better(candidate, distance, nearest, least) then
        nearest, least = candidate, distance
      end
    end
  end
  return nearest, least
end

return suggest
