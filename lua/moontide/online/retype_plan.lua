--- What a change of the type of a column needs, found out by the server: the change is
--- made on an empty table with the same columns, indexes and constraints. Does that
--- write the model anew, the column gets a shadow; and what the server then prints of
--- the model's indexes and constraints is what the shadow is to have.

local head = [[
DECLARE
  rel CONSTANT oid := to_regclass(@TABLE@); col CONSTANT name := @COLUMN@; shadow CONSTANT name := @SHADOW@;
  num smallint; here text; nsp name; tab text; model oid; item record; before text; after text;
  pred text; made text; unseen name;
BEGIN
  PERFORM set_config('client_min_messages', 'warning', true);
  SELECT attnum INTO num FROM pg_attribute WHERE attrelid = rel AND attname = col AND attnum > 0 AND NOT attisdropped;
  SELECT n.nspname, quote_ident(c.relname), format('%I.%I', n.nspname, c.relname) INTO nsp, tab, here
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = rel;
]]

-- What stands in the way of any change of the type. What the server knows to depend on the column and is not
-- taken along below, is named.
local refusals = [[
  INSERT INTO pg_temp.moontide_plan (step, name, sql) SELECT 'problem', message, hint FROM (
    SELECT 1 AS rank, format('there is no column "%s" in table "%s"', col, @TABLE@) AS message, NULL AS hint
      WHERE num IS NULL
    UNION ALL SELECT 2, format('"%s" is not a table', @TABLE@), NULL FROM pg_class
      WHERE oid = rel AND relkind NOT IN ('r', 'p')
    UNION ALL SELECT 3, format('the column "%s" is inherited', col), 'Change the column of the parent.'
      FROM pg_attribute WHERE attrelid = rel AND attnum = num AND attinhcount > 0
    UNION ALL SELECT 4, format('the column "%s" is a generated one', col),
      'Drop it, and add it again with the other type.'
      FROM pg_attribute WHERE attrelid = rel AND attnum = num AND attgenerated <> ''
    UNION ALL SELECT 5, format('the column "%s" is part of the partition key', col),
      'PostgreSQL cannot change its type: create another table, and move the rows.'
      FROM pg_partitioned_table WHERE partrelid = rel AND (num = ANY (partattrs::int2[]) OR EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = rel AND objsubid = 0
        AND refclassid = 'pg_class'::regclass AND refobjid = rel AND refobjsubid = num))
    UNION ALL SELECT 6, format('%s depends on the column "%s"', coalesce(
        -- a view is its rule, a generated column its default
        (SELECT pg_describe_object('pg_class'::regclass, ev_class, 0) FROM pg_rewrite r
          WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND rulename = '_RETURN'),
        (SELECT pg_describe_object('pg_class'::regclass, adrelid, adnum) FROM pg_attrdef f
          WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid),
        pg_describe_object(classid, objid, objsubid)), col),
      'Drop it before, and create it again afterwards, or use dependents = "recreate" with online = false.'
      FROM pg_depend d WHERE refclassid = 'pg_class'::regclass AND refobjid = rel AND refobjsubid = num
        AND NOT (classid = 'pg_class'::regclass AND (objid = rel AND objsubid = 0
          OR EXISTS (SELECT FROM pg_class c WHERE c.oid = objid AND c.relkind IN ('i', 'I', 'S'))))
        AND NOT (classid = 'pg_attrdef'::regclass
          AND EXISTS (SELECT FROM pg_attrdef f WHERE f.oid = objid AND f.adrelid = rel AND f.adnum = num))
        AND classid NOT IN ('pg_constraint'::regclass, 'pg_statistic_ext'::regclass)
    UNION ALL SELECT 7, format('there is a column "%s" already, which is to be the new one in the meantime', shadow),
      'Rename it; or drop it, with its trigger, when it was left by a change that was given up.'
      FROM pg_attribute WHERE attrelid = rel AND attname = shadow
  ) p ORDER BY rank, message;
  IF FOUND THEN RETURN; END IF;
]]

local model = [[
  EXECUTE format('CREATE TEMPORARY TABLE moontide_model (LIKE %s)', here);
  model := to_regclass('pg_temp.moontide_model');
  SELECT pg_get_expr(adbin, adrelid) INTO made FROM pg_attrdef WHERE adrelid = rel AND adnum = num;
  IF made IS NOT NULL AND NOT @NEW_DEFAULT@ THEN
    EXECUTE format('ALTER TABLE pg_temp.moontide_model ALTER %I SET DEFAULT %s', col, made);
  END IF;
  CREATE TEMPORARY TABLE moontide_index AS SELECT c.oid, c.relname, i.indisunique, i.indisvalid, i.indisexclusion,
      i.indisclustered, i.indisreplident, t.spcname, k.oid AS con, k.conname, k.contype, k.condeferrable, k.condeferred,
      substr(d.text, 1 + length(CASE WHEN left(d.text, length(here)) = here THEN here ELSE tab END)) AS rest
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
      LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = rel AND k.contype IN ('p', 'u', 'x')
      CROSS JOIN LATERAL (SELECT substr(pg_get_indexdef(c.oid), 1 + length(format('CREATE %sINDEX %I ON %s',
        CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname, CASE WHEN c.relkind = 'I' THEN 'ONLY ' END)))) d(text)
    WHERE i.indrelid = rel AND (num = ANY (i.indkey::int2[]) OR EXISTS (SELECT FROM pg_depend
      WHERE classid = 'pg_class'::regclass AND objid = c.oid AND refclassid = 'pg_class'::regclass
        AND refobjid = rel AND refobjsubid = num));
  CREATE TEMPORARY TABLE moontide_constraint AS
    SELECT oid, conname, contype, convalidated, confrelid, pg_get_constraintdef(oid) AS def,
      to_jsonb(k) -> 'confdelsetcols' AS cleared,
      'FOREIGN KEY (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY u(att, place)
        JOIN pg_attribute a ON a.attrelid = rel AND a.attnum = u.att) || ')' AS own,
      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY u(att, place)
        JOIN pg_attribute a ON a.attrelid = rel AND a.attnum = u.att) AS columns,
      (SELECT string_agg(quote_ident(CASE WHEN u.att = num THEN shadow ELSE a.attname END), ', ' ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY u(att, place)
        JOIN pg_attribute a ON a.attrelid = rel AND a.attnum = u.att) AS shadowed,
      (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
        FROM unnest(k.confkey) WITH ORDINALITY u(att, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.att) AS referenced
    FROM pg_constraint k WHERE conrelid = rel AND num = ANY (conkey) AND contype IN ('c', 'f');
  FOR item IN SELECT * FROM pg_temp.moontide_index WHERE NOT indisexclusion LOOP
    EXECUTE format('CREATE %s INDEX %I ON pg_temp.moontide_model%s', CASE WHEN item.indisunique THEN 'UNIQUE' END,
      'moontide_' || item.oid, item.rest);
  END LOOP;
  FOR item IN SELECT * FROM pg_temp.moontide_constraint WHERE contype = 'c' LOOP
    EXECUTE format('ALTER TABLE pg_temp.moontide_model ADD CONSTRAINT %I %s', 'moontide_' || item.oid, item.def);
  END LOOP;
  SELECT string_agg(c.relname || ' ' || pg_relation_filenode(c.oid), ' ' ORDER BY c.relname) INTO before
    FROM pg_class c WHERE c.oid = model OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = model);
  EXECUTE @USING_VIEW@;
  SELECT a.attname INTO unseen FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass
      AND d.objid = r.oid AND d.refobjid = model
    JOIN pg_attribute m ON m.attrelid = model AND m.attnum = d.refobjsubid
    JOIN pg_attribute a ON a.attrelid = rel AND a.attname = m.attname
    WHERE r.ev_class = to_regclass('pg_temp.moontide_using') AND a.attgenerated <> '' LIMIT 1;
  IF to_regclass('pg_temp.moontide_using') IS NOT NULL THEN DROP VIEW pg_temp.moontide_using; END IF;
  EXECUTE @AS_TABLE@;
  EXECUTE @ALTER@;
  EXECUTE @AS_MODEL@;
  SELECT string_agg(c.relname || ' ' || pg_relation_filenode(c.oid), ' ' ORDER BY c.relname) INTO after
    FROM pg_class c WHERE c.oid = model OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = model);
]]

-- Nothing is written anew: the change itself, and checks, which would be read under its lock, are checked after it.
local short = [[
  IF before = after THEN
    FOR item IN SELECT * FROM pg_temp.moontide_constraint WHERE contype = 'c' AND convalidated ORDER BY conname LOOP
      INSERT INTO pg_temp.moontide_plan (step, sql)
        VALUES ('change', format('ALTER TABLE %s DROP CONSTRAINT %I', here, item.conname));
    END LOOP;
    INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'change', sql
      FROM unnest(@CHANGE@::text[]) WITH ORDINALITY s(sql, place) ORDER BY place;
    FOR item IN SELECT c.*, obj_description(c.oid, 'pg_constraint') AS comment, pg_get_constraintdef(m.oid) AS now
        FROM pg_temp.moontide_constraint c JOIN pg_constraint m ON m.conrelid = model
          AND m.conname = 'moontide_' || c.oid
        WHERE c.contype = 'c' AND c.convalidated ORDER BY c.conname LOOP
      INSERT INTO pg_temp.moontide_plan (step, sql) VALUES ('change',
        format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', here, item.conname, item.now));
      INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'change',
        format('COMMENT ON CONSTRAINT %I ON %s IS %L', item.conname, here, item.comment)
        WHERE item.comment IS NOT NULL;
      INSERT INTO pg_temp.moontide_plan (step, sql) VALUES ('validate',
        format('ALTER TABLE %s VALIDATE CONSTRAINT %I', here, item.conname));
    END LOOP;
    INSERT INTO pg_temp.moontide_plan (step) SELECT 'nullable' WHERE @REQUIRED@;
    DROP TABLE pg_temp.moontide_model, pg_temp.moontide_index, pg_temp.moontide_constraint;
    RETURN;
  END IF;
]]

local limits = [[
  INSERT INTO pg_temp.moontide_plan (step, name, sql) SELECT 'problem', message, hint FROM (
    SELECT 1 AS rank, format('the type of a column of the partitioned table "%s" cannot be changed online', @TABLE@)
      AS message, 'It writes the rows of every partition anew: use online = false when the table may be locked.'
      AS hint FROM pg_class WHERE oid = rel AND relkind = 'p'
    UNION ALL SELECT 2, format('table "%s" is part of an inheritance tree, where the type cannot be changed online',
      @TABLE@), 'Use online = false when the table may be locked.' FROM pg_inherits WHERE rel IN (inhparent, inhrelid)
    UNION ALL SELECT 3, format('the foreign key "%s" of %s refers to the column "%s"', conname, conrelid::regclass,
      col), 'Drop the foreign key, change the columns on both sides, and create it again with online = true.'
      FROM pg_constraint WHERE contype = 'f' AND confrelid = rel AND num = ANY (confkey)
    UNION ALL SELECT 4, format('the column "%s" is in the exclusion constraint "%s", which cannot be built online', col,
      conname), 'Drop the constraint before, and create it again when the table may be locked.'
      FROM pg_temp.moontide_index WHERE indisexclusion
    UNION ALL SELECT 5, format('the index "%s" is not valid', relname), 'Drop it, or build it again with REINDEX.'
      FROM pg_temp.moontide_index WHERE NOT indisvalid
    UNION ALL SELECT 7, format('the domain "%s" has a constraint: a column of it would be written at once',
      t.typname), 'Use the type below the domain, and a check constraint.'
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = model AND a.attname = shadow
        AND (t.typnotnull OR EXISTS (SELECT FROM pg_constraint WHERE contypid = t.oid))
    UNION ALL SELECT 8, format('the column "%s" is an identity, which %s cannot be', col,
      format_type(m.atttypid, m.atttypmod)), 'Take the identity away before, by identity = null.'
      FROM pg_attribute a JOIN pg_attribute m ON m.attrelid = model AND m.attname = shadow
      WHERE a.attrelid = rel AND a.attnum = num AND a.attidentity <> ''
        AND m.atttypid NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
    UNION ALL SELECT 9, format('using needs the generated column "%s", which a trigger does not see', unseen),
      'Write its expression instead.' WHERE unseen IS NOT NULL
    UNION ALL SELECT 11, format('the column "%s" is an identity, which is never NULL', col),
      'Take the identity away before, by identity = null.'
      FROM pg_attribute WHERE attrelid = rel AND attnum = num AND attidentity <> '' AND @NULLABLE@
    UNION ALL SELECT 12, format('the foreign key "%s" is of a form that cannot be built anew online', conname),
      'Drop it before, and create it again afterwards.' FROM pg_temp.moontide_constraint
      WHERE contype = 'f' AND (cleared <> 'null' OR left(def, length(own)) <> own)
    UNION ALL SELECT 10, format('table "%s" has no key to go through its rows by', @TABLE@),
      'Give it a primary key, or a unique index of NOT NULL columns, without expression or condition.'
      WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
        WHERE i.indrelid = rel AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
          AND i.indexprs IS NULL AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
            JOIN pg_attribute a ON a.attrelid = rel AND a.attnum = k.attnum
            WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)
          AND NOT EXISTS (SELECT FROM unnest(i.indoption::int2[]) o(bits) WHERE o.bits <> i.indoption[0]))
  ) p ORDER BY rank, message;
  IF FOUND THEN RETURN; END IF;
]]

-- A foreign key is tried on models of both tables: whether the types go together is known before anything is done.
local constraints = [[
  FOR item IN SELECT c.*, m.oid AS model FROM pg_temp.moontide_constraint c
      LEFT JOIN pg_constraint m ON m.conrelid = model AND m.conname = 'moontide_' || c.oid ORDER BY c.conname LOOP
    made := CASE item.contype WHEN 'c' THEN pg_get_constraintdef(item.model)
      ELSE 'FOREIGN KEY (' || item.shadowed || ')' || substr(item.def, length(item.own) + 1) END;
    IF item.contype = 'f' AND item.confrelid <> rel THEN
      EXECUTE format('CREATE TEMPORARY TABLE moontide_parent (LIKE %s)', item.confrelid::regclass);
      EXECUTE format('ALTER TABLE pg_temp.moontide_parent ADD UNIQUE (%s)', item.referenced);
      EXECUTE format('ALTER TABLE pg_temp.moontide_model ADD FOREIGN KEY (%s) REFERENCES pg_temp.moontide_parent (%s)',
        item.shadowed, item.referenced);
      DROP TABLE pg_temp.moontide_parent CASCADE;
    END IF;
    INSERT INTO pg_temp.moontide_plan (step, sql, done) VALUES ('constraint', format(
      'ALTER TABLE %s ADD CONSTRAINT %I %s%s', here, 'moontide_' || item.oid, made,
      CASE WHEN item.convalidated THEN ' NOT VALID' END), format(
      'SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(%L) AND conname = %L) AS done', here,
      'moontide_' || item.oid));
    INSERT INTO pg_temp.moontide_plan (step, sql, done) SELECT 'validate', format(
      'ALTER TABLE %s VALIDATE CONSTRAINT %I', here, 'moontide_' || item.oid), format(
      'SELECT EXISTS (SELECT FROM pg_constraint WHERE convalidated AND conrelid = to_regclass(%L) AND conname = %L) '
      'AS done', here, 'moontide_' || item.oid)
      WHERE item.convalidated;
    INSERT INTO pg_temp.moontide_plan (step, sql) VALUES (CASE item.contype WHEN 'f' THEN 'leave' ELSE 'first' END,
      format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', here, item.conname));
    INSERT INTO pg_temp.moontide_plan (step, sql) VALUES ('last', format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I',
      here, 'moontide_' || item.oid, item.conname));
    INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'last', format('COMMENT ON CONSTRAINT %I ON %s IS %L',
      item.conname, here, d) FROM obj_description(item.oid, 'pg_constraint') d WHERE d IS NOT NULL;
  END LOOP;
]]

local indexes = [[
  FOR item IN SELECT i.*, m.oid AS model, pg_get_indexdef(m.oid) AS text, pg_get_expr(x.indpred, x.indrelid) AS pred
      FROM pg_temp.moontide_index i JOIN pg_class m ON m.relname = 'moontide_' || i.oid
        AND m.relnamespace = pg_my_temp_schema() JOIN pg_index x ON x.indexrelid = m.oid ORDER BY i.relname LOOP
    made := substr(item.text, strpos(item.text, 'moontide_model ') + length('moontide_model'));
    pred := coalesce(' WHERE ' || item.pred, '');
    made := left(made, length(made) - length(pred)) || coalesce(' TABLESPACE ' || quote_ident(item.spcname), '')
      || pred;
    INSERT INTO pg_temp.moontide_plan (step, name, place, sql) VALUES ('index', 'moontide_' || item.oid, nsp,
      format('CREATE %sINDEX CONCURRENTLY %I ON %s%s', CASE WHEN item.indisunique THEN 'UNIQUE ' END,
        'moontide_' || item.oid, here, made));
    INSERT INTO pg_temp.moontide_plan (step, sql) VALUES ('last', CASE WHEN item.con IS NULL
      THEN format('ALTER INDEX %I.%I RENAME TO %I', nsp, 'moontide_' || item.oid, item.relname)
      ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s%s', here, item.conname,
        CASE item.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, 'moontide_' || item.oid,
        CASE WHEN item.condeferrable THEN ' DEFERRABLE' END, CASE WHEN item.condeferred THEN ' INITIALLY DEFERRED' END)
      END);
    INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'last', s FROM (VALUES
      (CASE WHEN item.indisclustered THEN format('ALTER TABLE %s CLUSTER ON %I', here, item.relname) END),
      (CASE WHEN item.indisreplident
        THEN format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', here, item.relname) END),
      (format('COMMENT ON INDEX %I.%I IS ', nsp, item.relname) || quote_literal(obj_description(item.oid, 'pg_class'))),
      (format('COMMENT ON CONSTRAINT %I ON %s IS ', item.conname, here)
        || quote_literal(obj_description(item.con, 'pg_constraint')))) v(s) WHERE s IS NOT NULL;
    INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'last', format(
      'ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s', nsp, item.relname, attnum, attstattarget)
      FROM pg_attribute WHERE attrelid = item.oid AND attstattarget >= 0 ORDER BY attnum;
  END LOOP;
]]

-- The column itself: what it has besides its type.
local column = [[
  FOR item IN SELECT a.*, (SELECT string_agg(o.option_name || ' = ' || o.option_value, ', ')
        FROM pg_options_to_table(a.attoptions) o WHERE o.option_name LIKE 'n\_distinct%') AS options,
      col_description(rel, num) AS comment,
      (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = model) AS expression
      FROM pg_attribute a WHERE a.attrelid = rel AND a.attnum = num LOOP
    INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'last', s FROM (VALUES
      (format('ALTER TABLE %s ALTER %I SET DEFAULT ', here, col) || item.expression),
      (CASE WHEN item.attstattarget >= 0
        THEN format('ALTER TABLE %s ALTER %I SET STATISTICS %s', here, col, item.attstattarget) END),
      (format('ALTER TABLE %s ALTER %I SET (', here, col) || item.options || ')'),
      (format('COMMENT ON COLUMN %s.%I IS ', here, col) || quote_literal(item.comment))) v(s) WHERE s IS NOT NULL;
    INSERT INTO pg_temp.moontide_plan (step) SELECT 'not_null' WHERE @REQUIRED@ OR item.attnotnull AND NOT @NULLABLE@;
    INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'last', format('GRANT %s (%I) ON %s TO %s%s', x.privilege_type,
      col, here, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
      CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END) FROM aclexplode(item.attacl) x;
  END LOOP;
  INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'last', format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I',
    here, @SHADOW_NOT_NULL@, coalesce((SELECT conname FROM pg_constraint WHERE conrelid = rel AND contype = 'n'
      AND conkey = ARRAY[num]), @NOT_NULL@))
    WHERE current_setting('server_version_num')::integer >= 180000
      AND EXISTS (SELECT FROM pg_temp.moontide_plan WHERE step = 'not_null');
]]

-- A sequence that belongs to the column: that of an identity is one with the column, so there is a new one.
local sequences = [[
  FOR item IN SELECT c.oid, n.nspname, c.relname, d.deptype, s.*, a.attidentity, format_type(m.atttypid, NULL) AS type
      FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_sequence s ON s.seqrelid = c.oid
        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = rel AND a.attnum = num
        JOIN pg_attribute m ON m.attrelid = model AND m.attname = shadow
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = rel
        AND d.refobjsubid = num AND d.deptype IN ('a', 'i') LOOP
    IF item.deptype = 'a' THEN
      INSERT INTO pg_temp.moontide_plan (step, sql) VALUES
        ('first', format('ALTER SEQUENCE %I.%I OWNED BY NONE', item.nspname, item.relname)),
        ('last', format('ALTER SEQUENCE %I.%I OWNED BY %s.%I', item.nspname, item.relname, here, col));
    ELSE
      INSERT INTO pg_temp.moontide_plan (step, sql) VALUES
        ('first', format('ALTER SEQUENCE %I.%I RENAME TO %I', item.nspname, item.relname, 'moontide_' || item.oid)),
        ('first', format('ALTER TABLE %s ALTER %I ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %I.%I START %s '
          'INCREMENT %s%s%s CACHE %s%s)', here, shadow,
          CASE item.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
          item.nspname, item.relname, item.seqstart, item.seqincrement,
          CASE WHEN item.seqmin NOT IN (-32768, -2147483648, -9223372036854775808)
            THEN ' MINVALUE ' || item.seqmin END,
          CASE WHEN item.seqmax NOT IN (32767, 2147483647, 9223372036854775807) THEN ' MAXVALUE ' || item.seqmax END,
          item.seqcache, CASE WHEN item.seqcycle THEN ' CYCLE' END)),
        ('first', format('SELECT setval(%L, last_value, is_called) FROM %I.%I', format('%I.%I', item.nspname,
          item.relname), item.nspname, 'moontide_' || item.oid));
      INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'first', format('GRANT %s ON SEQUENCE %I.%I TO %s%s',
        x.privilege_type, item.nspname, item.relname,
        CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
        CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)
        FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid = item.oid AND x.grantee <> c.relowner;
    END IF;
  END LOOP;
]]

local statistics = [[
  FOR item IN SELECT s.*, n.nspname, to_jsonb(s) ->> 'stxstattarget' AS target, pg_get_statisticsobjdef(s.oid) AS text,
      obj_description(s.oid, 'pg_statistic_ext') AS comment
      FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxrelid = rel
        AND EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_statistic_ext'::regclass AND objid = s.oid
          AND refclassid = 'pg_class'::regclass AND refobjid = rel AND refobjsubid = num) ORDER BY s.stxname LOOP
    INSERT INTO pg_temp.moontide_plan (step, sql) SELECT step, s FROM (VALUES
      ('first', format('DROP STATISTICS %I.%I', item.nspname, item.stxname)),
      ('last', item.text),
      ('last', format('ALTER STATISTICS %I.%I OWNER TO %I', item.nspname, item.stxname,
        pg_get_userbyid(item.stxowner))),
      ('last', CASE WHEN item.target::integer >= 0 THEN format('ALTER STATISTICS %I.%I SET STATISTICS ', item.nspname,
        item.stxname) || item.target END),
      ('last', format('COMMENT ON STATISTICS %I.%I IS ', item.nspname, item.stxname) || quote_literal(item.comment)))
      v(step, s) WHERE s IS NOT NULL;
  END LOOP;
]]

-- The exchange is one transaction: what comes before the column goes, that, and what comes after its successor has
-- its name.
local exchange = [[
  INSERT INTO pg_temp.moontide_plan (step) VALUES ('shadow');
  INSERT INTO pg_temp.moontide_plan (step, sql) VALUES
    ('exchange', 'SET LOCAL client_min_messages = warning'),
    ('exchange', format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', here)),
    ('exchange', @DROP_TRIGGER@), ('exchange', @DROP_FUNCTION@);
  INSERT INTO pg_temp.moontide_plan (step, sql)
    SELECT 'exchange', sql FROM pg_temp.moontide_plan WHERE step = 'first' ORDER BY no;
  INSERT INTO pg_temp.moontide_plan (step, sql) VALUES
    ('exchange', format('ALTER TABLE %s DROP COLUMN %I', here, col)),
    ('exchange', format('ALTER TABLE %s RENAME COLUMN %I TO %I', here, shadow, col));
  INSERT INTO pg_temp.moontide_plan (step, sql)
    SELECT 'exchange', sql FROM pg_temp.moontide_plan WHERE step = 'last' ORDER BY no;
  INSERT INTO pg_temp.moontide_plan (step, sql) SELECT 'exchange', sql
    FROM unnest(@MORE@::text[]) WITH ORDINALITY s(sql, place) ORDER BY place;
  DROP TABLE pg_temp.moontide_model, pg_temp.moontide_index, pg_temp.moontide_constraint CASCADE;
END
]]

local rename = [[
  EXECUTE format('ALTER TABLE pg_temp.moontide_model RENAME %I TO %I', col, shadow);
]]

return table.concat { head, refusals, model, short, rename, limits, constraints, indexes, column, sequences, statistics,
  exchange }
