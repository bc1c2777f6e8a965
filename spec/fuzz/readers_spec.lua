-- The readers of text from outside, fed with what nobody would write. MOONTIDE_FUZZ_SEED repeats a run or starts
-- another one, MOONTIDE_FUZZ_COUNT makes it longer; spec/fuzz/run.sh searches with libFuzzer.

local lfs = require "lfs"
local mutate = require "spec.fuzz.mutate"
local shell = require "spec.support.shell"
local target = require "spec.fuzz.target"

local seed = math.tointeger(tonumber(os.getenv("MOONTIDE_FUZZ_SEED") or "20260115"))
local count = math.tointeger(tonumber(os.getenv("MOONTIDE_FUZZ_COUNT") or "1000"))

local function corpus_of(name)
  local folder, texts = "spec/fuzz/corpus/" .. name, {}
  local files = {}
  for file in lfs.dir(folder) do
    if file:sub(1, 1) ~= "." then files[#files + 1] = file end
  end
  table.sort(files)
  for index, file in ipairs(files) do texts[index] = shell.read(folder .. "/" .. file) end
  return texts
end

local function seconds(name, text)
  collectgarbage()
  local started = os.clock()
  target.try(name, text)
  return os.clock() - started
end

-- Four times the text may take about four times as long. Short times say nothing.
local function grows_too_fast(name, pump)
  local small = seconds(name, pump(4000))
  local large = seconds(name, pump(16000))
  if large < 0.05 or large < small * 8 then return false end
  return seconds(name, pump(16000)) > seconds(name, pump(4000)) * 8
end

describe("a reader of any bytes:", function()
  teardown(target.clean)

  for _, name in ipairs(target.names()) do
    local corpus, words = corpus_of(name), target.list[name].words

    it(name .. " knows its corpus", function()
      assert.is_true(#corpus > 0)
      local understood = 0
      for _, text in ipairs(corpus) do
        if target.try(name, text) == "ok" then understood = understood + 1 end
      end
      assert.is_true(understood > 0, "no text of the corpus is understood")
    end)

    it(("%s answers or refuses (seed %d)"):format(name, seed), function()
      math.randomseed(seed)
      for _ = 1, count do
        local text = mutate.one(corpus, words)
        local spent = seconds(name, text)
        assert.is_true(spent < 1, ("%.1f s for %q"):format(spent, text))
      end
    end)

    it(name .. " needs time in proportion to the text", function()
      for _, word in ipairs(target.list[name].executes and {} or words) do
        for _, text in ipairs { "", corpus[1] } do
          local middle = #text // 2
          local function repeated(n) return text:sub(1, middle) .. word:rep(n) .. text:sub(middle + 1) end
          local function apart(n) return text:sub(1, middle) .. (word .. "x "):rep(n) .. text:sub(middle + 1) end
          assert.is_false(grows_too_fast(name, repeated), ("%q and %q"):format(text, word))
          assert.is_false(grows_too_fast(name, apart), ("%q and %q apart"):format(text, word))
        end
      end
    end)
  end
end)
