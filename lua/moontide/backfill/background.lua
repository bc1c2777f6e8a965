--- Backfills that a revision leaves to the background: the transaction of the revision
--- registers the job, and `moontide backfill work` does it. Pure: it makes statements.

local books = require "moontide.backfill.books"
local fault = require "moontide.fault"
local fingerprint = require "moontide.backfill.fingerprint"
local quote = require "moontide.sql.quote"
local serialize = require "moontide.serialize"

local background = {}

local function refuse_hook(o)
  fault.raise("operation", ('backfill "%s" is in a hook, where nobody who works on it later finds it'):format(o.name),
    { where = o.where, operation = o.kind, hint = "Put it into a revision, or leave out background = true." })
end

-- Whoever works on it runs the revision's function again, up to the operation, with the answers that its reads had.
local function told(o, ctx)
  if ctx.in_hook then refuse_hook(o) end
  local text = not ctx.told and "{}" or ctx.told()
  if text then return text end
  fault.raise("operation", ('the reads before backfill "%s" answered too much to be kept'):format(o.name),
    { where = o.where, operation = o.kind, hint = "Put it before them, or into a revision of its own." })
end

--- The statements that register the job.
---@param o table
---@param ctx table  { revision, direction, schema, told }
---@return string[]
function background.statements(o, ctx)
  local own = books.open(ctx.schema or "moontide")
  local place = { revision = ctx.revision or "", direction = ctx.direction or "upgrade", step = o.name }
  return {
    own:ensure_statement(),
    own:register_statement(place, fingerprint(o),
      { spec = serialize.encode { told = told(o, ctx) }, control = '{"background": true}' }),
  }
end

local condition = [[
IF NOT EXISTS (SELECT FROM @JOB@ WHERE @SAME@) OR EXISTS (SELECT FROM (SELECT DISTINCT ON (revision) state FROM @JOB@
    WHERE @SAME@ ORDER BY revision, attempt DESC) j WHERE state <> 'done') THEN
  RAISE EXCEPTION USING MESSAGE = @MESSAGE@, HINT = @HINT@;
END IF;]]

local passing = [[
IF to_regclass(@REGCLASS@) IS NULL THEN RETURN; END IF;
IF NOT EXISTS (SELECT FROM @JOB@ WHERE @SAME@) THEN RETURN; END IF;
]]

local function same(o)
  local text = "step = " .. quote.literal(o.name) .. " AND direction = 'upgrade'"
  return o.revision and text .. " AND revision = " .. quote.literal(o.revision) or text
end

--- The statement that fails unless a backfill is done.
---@param o table
---@param ctx table
---@return string
function background.check_statement(o, ctx)
  local own = books.open(ctx.schema or "moontide")
  local words = {
    JOB = own.job, SAME = same(o), REGCLASS = quote.literal(own.job),
    MESSAGE = quote.literal(('backfill "%s" is not done'):format(o.name)),
    HINT = quote.literal(("Run `moontide backfill work %s` first."):format(o.name)),
  }
  local body = (o.missing and passing or "") .. condition
  return "DO " .. quote.dollar("BEGIN\n" .. body:gsub("@(%u+)@", function(name) return words[name] end) .. "\nEND ")
end

return background
