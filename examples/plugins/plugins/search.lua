--- Text search configurations: how the words of a document are found.
---
---     op.create_text_search_configuration("names", { mappings = { asciiword = { "simple" } } })
---
--- and as a kind of object of models, so that `moontide reflect` prints them, and `moontide
--- revision --autogenerate` writes what changed: model.text_search_configuration("names", { ... }).

---@param moontide moontide.PluginApi
return function(moontide)
  moontide.name { name = "search", version = "1.0" }

  local check, quote, source = moontide.check, moontide.quote, moontide.source

  -- Dictionaries and the parser are SQL names: "english_stem", "public.names".
  local function mappings(given, what)
    for token, dictionaries in pairs(check.table(given, what)) do
      check.name(token, what)
      check.list_of(check.sql)(dictionaries, ("the dictionaries of %s"):format(token))
    end
    return given
  end

  local shape = { schema = check.name, parser = check.sql, mappings = mappings }

  local function altered(o, action)
    return ("ALTER TEXT SEARCH CONFIGURATION %s %s"):format(quote.qualified(o.schema, o.name), action)
  end

  local function mapped(o, token, dictionaries)
    return altered(o, ("ADD MAPPING FOR %s WITH %s"):format(quote.ident(token), table.concat(dictionaries, ", ")))
  end

  local function tokens_of(map)
    local list = {}
    for token in pairs(map or {}) do list[#list + 1] = token end
    table.sort(list)
    return list
  end

  local function no_lock() return {} end

  moontide.operation {
    name = "create_text_search_configuration",
    summary = "Create a text search configuration",
    build = function(name, options)
      local o = check.options(options, shape)
      o.name = check.name(name, "the name")
      return o
    end,
    sql = function(o)
      local list = { ("CREATE TEXT SEARCH CONFIGURATION %s (PARSER = %s)")
        :format(quote.qualified(o.schema, o.name), o.parser or "pg_catalog.\"default\"") }
      for _, token in ipairs(tokens_of(o.mappings)) do list[#list + 1] = mapped(o, token, o.mappings[token]) end
      return list
    end,
    inverse = function(o)
      return { moontide.build("drop_text_search_configuration", o.name, { schema = o.schema }) }
    end,
    lock = no_lock,
    source = function(o)
      return source.call("create_text_search_configuration", o.name,
        { schema = o.schema, parser = o.parser, mappings = o.mappings })
    end,
  }

  moontide.operation {
    name = "drop_text_search_configuration",
    summary = "Drop a text search configuration",
    build = function(name, options)
      local o = check.options(options, { schema = check.name })
      o.name = check.name(name, "the name")
      return o
    end,
    sql = function(o) return { "DROP TEXT SEARCH CONFIGURATION " .. quote.qualified(o.schema, o.name) } end,
    inverse = function() return nil, "the mappings of the configuration are not known" end,
    lock = no_lock,
    source = function(o) return source.call("drop_text_search_configuration", o.name, { schema = o.schema }) end,
  }

  moontide.operation {
    name = "set_text_search_mapping",
    summary = "Say which dictionaries look at the tokens of a kind; none with an empty list",
    build = function(name, token, dictionaries, options)
      local o = check.options(options, { schema = check.name })
      o.name, o.token = check.name(name, "the name"), check.name(token, "the token")
      o.dictionaries = check.list_of(check.sql)(dictionaries, "the dictionaries")
      return o
    end,
    sql = function(o)
      local list = { altered(o, "DROP MAPPING IF EXISTS FOR " .. quote.ident(o.token)) }
      if o.dictionaries[1] then list[2] = mapped(o, o.token, o.dictionaries) end
      return list
    end,
    inverse = function() return nil, "the mapping before is not known" end,
    lock = no_lock,
    source = function(o)
      return source.call("set_text_search_mapping", o.name, o.token, o.dictionaries, { schema = o.schema })
    end,
  }

  moontide.model_kind {
    name = "text search configuration",
    declare = "text_search_configuration",
    operation = "create_text_search_configuration",
    catalog = "pg_ts_config",
    after = "extension",
    query = [[
SELECT c.oid::bigint::text AS oid, c.cfgname AS name, n.nspname AS schema,
  CASE s.nspname WHEN 'pg_catalog' THEN '' ELSE quote_ident(s.nspname) || '.' END || quote_ident(p.prsname) AS parser,
  (SELECT json_object_agg(x.alias, x.dictionaries) FROM (
    SELECT t.alias, json_agg(m.mapdict::regdictionary::text ORDER BY m.mapseqno) AS dictionaries
    FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
    WHERE m.mapcfg = c.oid GROUP BY t.alias) x) AS mappings,
  obj_description(c.oid, 'pg_ts_config') AS comment
FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace
  JOIN pg_ts_parser p ON p.oid = c.cfgparser JOIN pg_namespace s ON s.oid = p.prsnamespace
WHERE {schemas} AND {free pg_ts_config c.oid} ORDER BY n.nspname, c.cfgname]],
    create = function(row)
      return { "create_text_search_configuration", row.name,
        { schema = row.schema, parser = row.parser ~= '"default"' and row.parser or nil, mappings = row.mappings } }
    end,
    drop = function(row) return { "drop_text_search_configuration", row.name, { schema = row.schema } } end,
    alter = function(old, new)
      local before, after = old[3], new[3]
      if before.parser ~= after.parser then return nil end
      local list, were, are = {}, before.mappings or {}, after.mappings or {}
      local both = {}
      for _, map in ipairs { were, are } do
        for token in pairs(map) do both[token] = true end
      end
      for _, token in ipairs(tokens_of(both)) do
        if table.concat(were[token] or {}, ",") ~= table.concat(are[token] or {}, ",") then
          list[#list + 1] = { "set_text_search_mapping", new[2], token, are[token] or {}, { schema = after.schema } }
        end
      end
      return list
    end,
  }
end
