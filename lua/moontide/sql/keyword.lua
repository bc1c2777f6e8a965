--- The keywords that cannot stand bare as any identifier: every word of
--- PostgreSQL 13 to 18 that is not "unreserved", in the server's three groups
--- (pg_get_keywords(), catcode R, T and C). It is what quote_ident() goes by; a
--- word that became a keyword in a later version is quoted for the earlier
--- ones too, which changes nothing.

local reserved = [[
  all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create
  current_catalog current_date current_role current_time current_timestamp current_user default deferrable desc
  distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral
  leading limit localtime localtimestamp not null offset on only or order placing primary references returning select
  session_user some symmetric system_user table then to trailing true union unique user using variadic when where
  window with
]]

local type_or_function = [[
  authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like
  natural notnull outer overlaps right similar tablesample verbose
]]

local column_name = [[
  between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int
  integer interval json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar
  json_serialize json_table json_value least merge_action national nchar none normalize nullif numeric out overlay
  position precision real row setof smallint substring time timestamp treat trim values varchar xmlattributes
  xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
]]

local keyword = {}

for _, words in ipairs { reserved, type_or_function, column_name } do
  for word in words:gmatch("%S+") do keyword[word] = true end
end

---@type table<string, true>
return keyword
