--- Giving an enum type other labels where labels go away or change places, which no
--- ALTER TYPE does: a new type takes the place of the old one in every column.
---
--- The server finds the columns itself, in a DO block, so that a printed script does
--- the same as a run. What would be in the way is taken off and put back as it was:
--- defaults, checks, foreign keys and exclusion constraints of the columns, and indexes
--- with expressions or predicates. What cannot be put back (a view, a function's argument)
--- makes the statement fail, and nothing is changed.

local quote = require "moontide.sql.quote"
local sorted_keys = require "moontide.sorted_keys"

local enum_rebuild = {}

local body = [[
DECLARE
  old_type CONSTANT regtype := {type};
  old_labels CONSTANT text[] := coalesce((SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum
    WHERE enumtypid = old_type), '{}');
  new_labels CONSTANT text[] := {labels};
  old_name CONSTANT text := format('%I.%I', (SELECT n.nspname FROM pg_type t JOIN pg_namespace n
    ON n.oid = t.typnamespace WHERE t.oid = old_type), 'moontide_old_' || old_type::oid);
  old record;
  step text;
BEGIN
  SELECT t.oid, t.typname, n.nspname, t.typowner, t.typacl, t.typarray, obj_description(t.oid, 'pg_type') AS comment
    INTO old FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = old_type AND t.typtype = 'e';
  IF NOT FOUND THEN
    RAISE wrong_object_type USING MESSAGE = format('%s is not an enum', old_type);
  END IF;
{check}
  -- Only new labels: the type can keep its values.
  IF {keep} AND coalesce((SELECT array_agg(l ORDER BY n) FROM unnest(new_labels) WITH ORDINALITY u(l, n)
      WHERE l = ANY (old_labels)), '{}') = old_labels THEN
    FOR i IN 1 .. cardinality(new_labels) LOOP
      IF new_labels[i] <> ALL (old_labels) THEN
        EXECUTE format('ALTER TYPE %I.%I ADD VALUE %L', old.nspname, old.typname, new_labels[i])
          || CASE WHEN i > 1 THEN format(' AFTER %L', new_labels[i - 1])
                  WHEN cardinality(old_labels) > 0 THEN format(' BEFORE %L', old_labels[1]) ELSE '' END;
      END IF;
    END LOOP;
    RETURN;
  END IF;
  -- All definitions are read before the first statement is run: they name the type as it is called now.
  FOREACH step IN ARRAY ARRAY(
    WITH used AS (
      SELECT a.attrelid, a.attnum, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE a.atttypid IN (old.oid, old.typarray) AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
    ), touched AS (
      SELECT d.classid, d.objid FROM pg_depend d JOIN used u
        ON d.refclassid = 'pg_class'::regclass AND d.refobjid = u.attrelid AND d.refobjsubid = u.attnum
      UNION
      SELECT classid, objid FROM pg_depend
      WHERE refclassid = 'pg_type'::regclass AND refobjid IN (old.oid, old.typarray)
    ), found AS (
      SELECT 3 AS place, format('ALTER TABLE ONLY %s ALTER COLUMN %I DROP DEFAULT', u.attrelid::regclass, u.attname)
          AS remove,
        ARRAY[format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', u.attrelid::regclass, u.attname,
          {default})] AS restore
      FROM used u JOIN pg_attribute a ON a.attrelid = u.attrelid AND a.attnum = u.attnum
        JOIN pg_attrdef d ON d.adrelid = u.attrelid AND d.adnum = u.attnum
      WHERE a.attgenerated = ''
      UNION ALL
      SELECT CASE k.contype WHEN 'f' THEN 1 ELSE 2 END,
        format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname),
        ARRAY[format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname,
            pg_get_constraintdef(k.oid)),
          format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, k.conrelid::regclass,
            obj_description(k.oid, 'pg_constraint'))]
      FROM pg_constraint k
      WHERE k.contype IN ('c', 'f', 'x') AND k.conrelid <> 0 AND k.coninhcount = 0 AND k.conparentid = 0
        AND EXISTS (SELECT FROM touched t
          WHERE (t.classid = 'pg_constraint'::regclass AND t.objid = k.oid)
            OR (k.contype = 'x' AND t.classid = 'pg_class'::regclass AND t.objid = k.conindid))
      UNION ALL
      SELECT 2, format('DROP INDEX %s', i.indexrelid::regclass),
        -- the definition of a partitioned index leaves the partitions out
        ARRAY[CASE WHEN c.relkind = 'I' THEN replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
            ELSE pg_get_indexdef(i.indexrelid) END,
          format('COMMENT ON INDEX %s IS %L', i.indexrelid::regclass, obj_description(i.indexrelid, 'pg_class'))]
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL) AND NOT c.relispartition
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
        AND EXISTS (SELECT FROM touched t WHERE t.classid = 'pg_class'::regclass AND t.objid = i.indexrelid)
    ), changed AS (
      SELECT format('ALTER TABLE %s %s', u.attrelid::regclass, string_agg(format('ALTER COLUMN %I TYPE %s USING %s',
          u.attname, format('%I.%I', old.nspname, old.typname) || CASE a.atttypid WHEN old.oid THEN '' ELSE '[]' END,
          format(CASE a.atttypid WHEN old.oid THEN {scalar} ELSE {array} END, u.attname,
            format('%I.%I', old.nspname, old.typname))), ', ' ORDER BY u.attnum)) AS change
      FROM used u JOIN pg_attribute a ON a.attrelid = u.attrelid AND a.attnum = u.attnum
      WHERE a.attinhcount = 0 GROUP BY u.attrelid
    )
    SELECT s FROM (
      SELECT 1 AS part, place, 0 AS n, remove AS s FROM found
      UNION ALL SELECT 2, 0, 0, format('ALTER TYPE %s RENAME TO %I', old_type, 'moontide_old_' || old.oid)
      UNION ALL SELECT 3, 0, 0, format('CREATE TYPE %I.%I AS ENUM (%s)', old.nspname, old.typname,
        (SELECT string_agg(quote_literal(l), ', ' ORDER BY n) FROM unnest(new_labels) WITH ORDINALITY u(l, n)))
      UNION ALL SELECT 4, 0, 0, format('ALTER TYPE %I.%I OWNER TO %I', old.nspname, old.typname,
        pg_get_userbyid(old.typowner))
      UNION ALL SELECT 5, 0, 0, format('COMMENT ON TYPE %I.%I IS %L', old.nspname, old.typname, old.comment)
      UNION ALL SELECT 6, 0, 0, format('REVOKE ALL ON TYPE %I.%I FROM PUBLIC', old.nspname, old.typname)
        WHERE old.typacl IS NOT NULL
      UNION ALL SELECT 7, 0, 0, format('GRANT %s ON TYPE %I.%I TO %s', privilege_type, old.nspname, old.typname,
          CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
          || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        FROM aclexplode(old.typacl) WHERE grantee <> old.typowner
      UNION ALL SELECT 8, 0, 0, change FROM changed
      UNION ALL SELECT 9, -place, n, s FROM found, unnest(restore) WITH ORDINALITY u(s, n)
    ) steps ORDER BY part, place, n
  ) LOOP
    EXECUTE step;
  END LOOP;
  EXECUTE format('DROP TYPE %s', old_name);
END]]

-- A dollar quote that the text does not contain.
local function dollar_quoted(text)
  local tag = "$moontide$"
  while text:find(tag, 1, true) do tag = tag:sub(1, -2) .. "_$" end
  return tag .. text .. tag
end

local function text_array(labels)
  local literals = {}
  for i, label in ipairs(labels) do literals[i] = quote.literal(label) end
  return "ARRAY[" .. table.concat(literals, ", ") .. "]::text[]"
end

-- The default of a column; it may be a label that goes away.
local function default_expression(replace)
  local text = "pg_get_expr(d.adbin, d.adrelid)"
  for _, label in ipairs(sorted_keys(replace)) do
    text = ("replace(%s, quote_literal(%s) || '::' || old_type, quote_literal(%s) || '::' || old_type)")
      :format(text, quote.literal(label), quote.literal(replace[label]))
  end
  return text
end

-- How a value of the old type becomes one of the new, as a template of format(): %1$I is the column, %2$s the type.
local function conversions(replace)
  local cases, nested = {}, "%1$I::text[]"
  for _, label in ipairs(sorted_keys(replace)) do
    local from, to = quote.literal(label):gsub("%%", "%%%%"), quote.literal(replace[label]):gsub("%%", "%%%%")
    cases[#cases + 1] = (" WHEN %s THEN %s"):format(from, to)
    nested = ("array_replace(%s, %s, %s)"):format(nested, from, to)
  end
  local scalar = #cases == 0 and "%1$I::text" or "(CASE %1$I::text" .. table.concat(cases) .. " ELSE %1$I::text END)"
  return quote.literal(scalar .. "::%2$s"), quote.literal(nested .. "::%2$s[]")
end

local missing = [[
  IF {label} <> ALL (old_labels) THEN
    RAISE undefined_object USING MESSAGE = format('enum %s has no label "%s"', old_type, {label});
  END IF;
]]

local function statement(name, labels, check, replace, anew)
  local scalar, array = conversions(replace)
  local parts = { keep = tostring(not anew), type = quote.literal(name) .. "::regtype", labels = labels, check = check,
    scalar = scalar, array = array, default = default_expression(replace) }
  return "DO " .. dollar_quoted((body:gsub("{(%l+)}", parts)))
end

--- The statement that gives an enum a new list of labels. Where the old labels all stay, in
--- their order, it only adds the others.
---@param name string    as SQL
---@param labels string[]
---@param replace? table<string, string>  the label that rows with another one get
---@return string
function enum_rebuild.labels(name, labels, replace)
  return statement(name, text_array(labels), "", replace or {})
end

--- The statement that takes a label away.
---@param name string
---@param label string
---@param replacement? string  the label that rows with it get
---@return string
function enum_rebuild.without(name, label, replacement)
  local literal = quote.literal(label)
  local check = missing:gsub("{(%l+)}", { label = literal })
  return statement(name, ("array_remove(old_labels, %s)"):format(literal), check,
    { [label] = replacement })
end

local inserted = [[(SELECT array_agg(l ORDER BY n) FROM (SELECT l, n::numeric FROM unnest(old_labels)
    WITH ORDINALITY u(l, n) UNION ALL SELECT {label}, {place}) labels)]]

-- Where the new label goes, between the numbers of those that are there.
local function place_of(before, after)
  local other = before or after
  if not other then return "2147483647" end
  return ("array_position(old_labels, %s) %s 0.5"):format(quote.literal(other), before and "-" or "+")
end

--- The statement that adds a label by a new type, so that it can be used in the same transaction.
---@param name string
---@param label string
---@param before? string
---@param after? string
---@return string
function enum_rebuild.with(name, label, before, after)
  local parts = { label = quote.literal(label) .. "::text", place = place_of(before, after) }
  return statement(name, (inserted:gsub("{(%l+)}", parts)), "", {}, true)
end

return enum_rebuild
