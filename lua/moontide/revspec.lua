--- Revision identifiers as users write them:
---
---     range  = [point] ":" [point]
---     point  = [branch "@"] [symbol] [step]
---     symbol = "base" | "head" | "heads" | "current" | an identifier, a label, or the beginning of one
---     step   = ("+" | "-") digits
---
--- `parse` only reads. What a name means is looked up in a graph, by the other functions.

local fault = require "moontide.fault"
local lpeg = require "lpeg"
local resolve = require "moontide.revspec.resolve"
local words = require "moontide.graph.words"

local revspec = {}

---@class moontide.RevisionSpec
---@field kind "point"|"range"
---@field text string      as written, without the space around it
---@field branch? string   what stands before the "@"
---@field symbol? string   nil when the step counts from the database
---@field step? integer
---@field lower? moontide.RevisionSpec  of a range
---@field upper? moontide.RevisionSpec

local C, Cc, Cg, Cp, Ct, R, S = lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Cp, lpeg.Ct, lpeg.R, lpeg.S

-- No graph is as deep as this, and it is still an integer.
local far = 1 << 30

local function to_step(text)
  return math.max(-far, math.min(far, tonumber(text)))
end

local function with_text(text, ast)
  ast.text = text
  return ast
end

local space = S " \t\r\n" ^ 0
local name = C((1 - S "@+-: \t\r\n") ^ 1)
local step = S "+-" * R "09" ^ 1 / to_step
local branch = Cg(name, "branch") * "@"
local position = Cg(name, "symbol") * Cg(step, "step") ^ -1 + Cg(step, "step")
local point = C(Ct(Cg(Cc "point", "kind") * (branch * position + position))) / with_text
local range = C(Ct(Cg(Cc "range", "kind") * Cg(point, "lower") ^ -1 * space * ":" * space * Cg(point, "upper") ^ -1))
  / with_text
local empty = Ct(Cg(Cc "point", "kind") * Cg(Cc "base", "symbol") * Cg(Cc "", "text"))
local grammar = space * (range + point + empty) * space * Cp()

--- Read an identifier or a range of two; raises a fault of kind "revision" when it is neither.
---@param text string
---@return moontide.RevisionSpec
function revspec.parse(text)
  local ast, stopped = grammar:match(text)
  if stopped > #text then return ast end
  fault.raise("revision", ("invalid revision identifier %s"):format(words.quote(text)), {
    detail = ('Unexpected "%s" at character %d.'):format(text:match(utf8.charpattern, stopped), stopped),
    hint = "Write an identifier or the beginning of one, a label, head, heads or base; "
      .. "before it a branch and @, after it +N or -N.",
  })
end

--- Read an identifier where a range has no place.
---@param text string
---@return moontide.RevisionSpec
function revspec.point(text)
  local ast = revspec.parse(text)
  if ast.kind == "point" then return ast end
  fault.raise("revision", ("range revision not allowed: %s"):format(words.quote(text)), {
    hint = "Give a single revision; a range is for history and for --sql.",
  })
end

--- The two ends of a range as text, nil where an end is left out; nothing for a single identifier.
---@param text string
---@return boolean is_range
---@return string? lower
---@return string? upper
function revspec.ends(text)
  local ast = revspec.parse(text)
  if ast.kind == "point" then return false end
  return true, ast.lower and ast.lower.text, ast.upper and ast.upper.text
end

--- The ids an identifier stands for: none for "base", several for "heads".
---@param map moontide.Graph
---@param text string
---@param rows? string[]  the version rows; needed for "current"
---@return string[]
function revspec.resolve(map, text, rows)
  return words.ids(resolve.nodes(map, revspec.point(text), rows and resolve.rows(map, rows)))
end

--- The revisions an identifier stands for, as `show` and `edit` want them.
---@param map moontide.Graph
---@param text string
---@param rows? string[]
---@return moontide.Revision[]
function revspec.revisions(map, text, rows)
  local revisions = {}
  for i, id in ipairs(revspec.resolve(map, text, rows)) do revisions[i] = map:get(id) end
  return revisions
end

--- The one revision an identifier stands for; nil for "base". Several are a fault.
---@param map moontide.Graph
---@param text string
---@param rows? string[]
---@return moontide.Revision?
function revspec.revision(map, text, rows)
  local node = resolve.one(map, revspec.point(text), rows and resolve.rows(map, rows))
  return node and node.revision or nil
end

return revspec
