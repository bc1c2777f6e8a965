local picture = require "moontide.picture"
local dot = require "moontide.picture.dot"
local mermaid = require "moontide.picture.mermaid"
local svg = require "moontide.picture.svg"
local revisions = require "spec.support.revisions"

local function picture_of(text, rows, docs)
  local map = revisions.map(text)
  local list = map:walk()
  for _, rev in ipairs(list) do
    rev.doc = docs and docs[rev.id] or "Text of " .. rev.id
    rev.message = rev.doc
  end
  return picture.of(map, list, rows)
end

local function escape_pattern(text) return (text:gsub("%p", "%%%0")) end

-- Every element is closed by its own name, and outside of them is only what may be there.
local function check_xml(text)
  local stack = {}
  for slash, name, rest, content in text:gmatch("<(/?)(%a+)([^<>]*)>([^<]*)") do
    if slash == "/" then
      assert.equal(table.remove(stack), name)
    elseif not rest:find("/$") then
      stack[#stack + 1] = name
    end
    for entity in content:gmatch("&([^;]*;?)") do
      assert.truthy(("amp; lt; gt; quot;"):find(entity, 1, true), entity)
    end
  end
  assert.same({}, stack)
end

-- Where the dots of an SVG picture are: "x y" -> revision.
local function dots_of(text)
  local dots = {}
  for id, x, y in text:gmatch('<g><title>([^\n]+)[^<]*</title><circle cx="(%d+)" cy="(%d+)"') do
    dots[x .. " " .. y] = id
  end
  return dots
end

local function edges_of_svg(text)
  local dots, edges = dots_of(text), {}
  for data, rest in text:gmatch('<path d="([^"]+)"([^>]*)>') do
    local x, y = data:match("^M(%d+) (%d+)")
    local from = dots[x .. " " .. y]
    for command, numbers in data:gmatch("([CV])([%d ]+)") do
      if command == "C" then x, y = numbers:match("(%d+) (%d+) *$") else y = numbers:match("%d+") end
    end
    local sign = rest:find("dotted", 1, true) and " ~ " or " < "
    edges[#edges + 1] = from .. sign .. assert(dots[x .. " " .. y], data)
  end
  table.sort(edges)
  return edges
end

local function edges_of_dot(text)
  local edges = {}
  for to, from, rest in text:gmatch('"(%w+)" %-> "(%w+)"([^\n]*)') do
    edges[#edges + 1] = from .. (rest:find("dotted", 1, true) and " ~ " or " < ") .. to
  end
  table.sort(edges)
  return edges
end

local function edges_of_mermaid(text)
  local names, edges = {}, {}
  for name, id in text:gmatch('(r%d+)%["(%w+)') do names[name] = id end
  for to, arrow, from in text:gmatch("(r%d+) (%-[-.>]+) (r%d+)") do
    edges[#edges + 1] = names[from] .. (arrow == "-.->" and " ~ " or " < ") .. names[to]
  end
  table.sort(edges)
  return edges
end

local graphs = {
  { "a line", "a\nb < a\nc < b", "b < a, c < b" },
  { "a merge", "a\nb < a\nc < a\nd < b, c", "b < a, c < a, d < b, d < c" },
  { "several bases and a dependency", "a\nb < a\nc ~ a\nd < c, a ~ b\ne", "b < a, c ~ a, d < a, d < c, d ~ b" },
  { "an octopus", "a\nb < a\nc < a\nd < a\ne < b, c, d\nf < d", "b < a, c < a, d < a, e < b, e < c, e < d, f < d" },
  { "a parent that is a dependency, too", "a\nb < a ~ a", "b < a" },
}

describe("a picture", function()
  for _, case in ipairs(graphs) do
    it("has every line of " .. case[1], function()
      local shown, expected = picture_of(case[2]), {}
      for edge in (case[3] .. ", "):gmatch("(.-), ") do expected[#expected + 1] = edge end
      assert.same(expected, edges_of_svg(svg.text(shown)))
      assert.same(expected, edges_of_dot(dot.text(shown)))
      assert.same(expected, edges_of_mermaid(mermaid.text(shown)))
      check_xml(svg.text(shown))
    end)
  end

  it("of nothing is empty, and still one", function()
    local shown = picture_of ""
    check_xml(svg.text(shown))
    assert.matches("^digraph revisions {\n.*}\n$", dot.text(shown))
    assert.equal("flowchart BT\n", mermaid.text(shown))
  end)

  it("tells what is applied when the rows are known", function()
    local shown = picture_of("a\nb < a\nc < b", { "b" })
    assert.matches('class="applied"[^\n]*\n[^\n]*>b<[^\n]*%(current%)', svg.text(shown))
    assert.equal(2, select(2, svg.text(shown):gsub('<rect class="applied"', "")))
    assert.equal(1, select(2, svg.text(shown):gsub('class="open"', "")))
    assert.matches('"b" [label="b\\n(current)\\nText of b"', dot.text(shown), 1, true)
    assert.equal(2, select(2, dot.text(shown):gsub("fillcolor", "")))
    assert.matches("\n  class r2,r3 applied\n", mermaid.text(shown))
    for _, writer in ipairs { svg, dot, mermaid } do
      assert.is_nil(writer.text(picture_of "a\nb < a"):match("%f[%w]class=\"applied\""))
    end
  end)

  it("survives any text", function()
    local nasty = 'a "b" \\ <i>&amp;</i> #1 `x` [y] *z*\0\27 \255'
    local shown = picture_of("a\nb < a", nil, { a = nasty, b = "line one\r\nline two" })
    local xml = svg.text(shown)
    check_xml(xml)
    assert.truthy(utf8.len(xml))
    assert.matches(escape_pattern 'a &quot;b&quot; \\ &lt;i&gt;&amp;amp;&lt;/i&gt; #1 `x` [y] *z*   ?', xml)
    assert.matches(escape_pattern 'a \\"b\\" \\\\ <i>&amp;</i>', dot.text(shown))
    assert.matches(escape_pattern 'a #quot;b#quot; #92; #lt;i#gt;#amp;amp;', mermaid.text(shown))
    assert.matches(escape_pattern "line one\\nline two", dot.text(shown))
  end)

  it("cuts long messages, and keeps them whole in the tooltip", function()
    local long = ("word "):rep(40) .. "end"
    local text = svg.text(picture_of("a", nil, { a = long }))
    assert.matches("word\u{2026}</tspan>", text)
    assert.matches("word end</title>", text)
    assert.equal("\u{e4}\u{f6}\u{2026}", picture.clipped("\u{e4}\u{f6}\u{fc}\u{df}", 3))
  end)
end)
