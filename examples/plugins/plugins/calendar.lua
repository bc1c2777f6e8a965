--- A strategy of backfills, for op.backfill { ..., order = "calendar" }: by the calendar, the newest
--- rows first, since these are asked for most. No chunk has rows of two days, or of whatever the unit
--- is, in UTC. The column is that of `key`, or created_at; it should have an index.

---@param moontide moontide.PluginApi
---@param options { unit: string?, column: string?, oldest_first: boolean? }
return function(moontide, options)
  moontide.name { name = "calendar", version = "1.0" }

  local unit_of = moontide.check.choice("hour", "day", "week", "month", "year")

  local function choose(of)
    local name = of.key and of.key[1] or options.column or "created_at"
    local kind = of.columns[name] and of.columns[name].type
    if not kind then return nil, ('there is no column "%s"; key = "..." names another'):format(name) end
    if kind ~= "date" and not kind:find "^timestamp" then return nil, ('"%s" is no time'):format(name) end
    return { key = name, descending = not options.oldest_first,
      data = { unit = unit_of(options.unit or "day", "the unit of the calendar") } }
  end

  -- The last moment of a unit, or, where we go backwards, the first.
  local function boundary(way, time)
    local first = ("date_trunc('%s', %s)"):format(way.data.unit, time)
    if way.descending then return first end
    return ("%s + interval '1 %s' - interval '1 microsecond'"):format(first, way.data.unit)
  end

  moontide.backfill_strategy {
    name = "calendar",
    summary = "by the calendar, the newest rows first",
    choose = choose,
    probe = function(way)
      return ("SELECT %s FROM %s WHERE %s ORDER BY %s LIMIT 1"):format(boundary(way, way.key[1]), way.from, way.rest,
        way.order)
    end,
    splits = function(way) return ("SELECT %s FROM %s"):format(boundary(way, "bound"), way.bounds) end,
  }
end
