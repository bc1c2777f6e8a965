--- The bookkeeping of repeatable objects: every version that was applied, with its
--- text, so that the one before can be put back. Pure: it makes statements.

local quote = require "moontide.sql.quote"

local books = {}

--- The statement that creates the table.
---@param history moontide.History
---@return string
function books.create(history)
  return ("CREATE TABLE IF NOT EXISTS %s " .. [[(
  name text NOT NULL,
  version integer NOT NULL,
  checksum text NOT NULL,
  text text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  applied_by text NOT NULL DEFAULT current_user,
  PRIMARY KEY (name, version)
)]]):format(history.repeatable)
end

local last_version = [[SELECT DISTINCT ON (name) name, version, checksum, %s applied_at > coalesce((
  SELECT max(finished_at) FROM %s
  WHERE direction = 'downgrade' AND outcome = 'done' AND NOT starts_with(revision, 'repeatable/')
), '-infinity') AS current
FROM %s ORDER BY name, version DESC]]

--- The statement that reads the last version of each object.
---@param history moontide.History
---@param with_text? boolean
---@return string
function books.last(history, with_text)
  return last_version:format(with_text and "text," or "", history.log, history.repeatable)
end

--- The statement that reads all versions of an object, newest first.
---@param history moontide.History
---@param name string
---@return string
function books.versions(history, name)
  return ("SELECT name, version, checksum, text FROM %s WHERE name = %s ORDER BY version DESC")
    :format(history.repeatable, quote.literal(name))
end

--- The statement that records an object as applied: a new version, unless the last one has the same text.
--- It is the same statement in a script, where nobody knows which versions there are.
---@param history moontide.History
---@param object moontide.Repeatable
---@return string
function books.record(history, object)
  local checksum = quote.literal(object.checksum)
  return ("INSERT INTO %s AS r (name, version, checksum, text) "
    .. "SELECT %s, coalesce(max(version) FILTER (WHERE checksum <> %s), 0) + 1, %s, %s FROM %s WHERE name = %s "
    .. "ON CONFLICT (name, version) DO UPDATE SET applied_at = excluded.applied_at, applied_by = excluded.applied_by")
    :format(history.repeatable, quote.literal(object.name), checksum, checksum, quote.literal(object.text),
      history.repeatable, quote.literal(object.name))
end

--- The statement that forgets the versions of an object behind one.
---@param history moontide.History
---@param name string
---@param version integer
---@return string
function books.forget(history, name, version)
  return ("DELETE FROM %s WHERE name = %s AND version > %d"):format(history.repeatable, quote.literal(name), version)
end

return books
