--- Operations for Citus, for those who outgrow one machine:
---
---     op.create_distributed_table("events", "tenant_id", { shard_count = 64 })
---     op.create_reference_table("countries")
---     op.undistribute_table("events", { existing = { "tenant_id" } })
---
--- `existing` says what the table was, so that undistributing can be reversed: the
--- distribution column and its options, or { reference = true }.

---@param moontide moontide.PluginApi
return function(moontide)
  moontide.name { name = "citus", version = "1.0" }

  local check, quote, source = moontide.check, moontide.quote, moontide.source

  -- Options of create_distributed_table, in the order of the function's arguments.
  local arguments = {
    { "distribution_type", check.choice("hash", "append") },
    { "colocate_with", check.text },
    { "shard_count", check.integer },
  }

  local distributed_shape = { schema = check.name, concurrently = check.flag }
  for _, argument in ipairs(arguments) do distributed_shape[argument[1]] = argument[2] end

  local function pick(o, shape)
    local options = {}
    for key in pairs(shape) do options[key] = o[key] end
    return next(options) and options or nil
  end

  -- A relation as the functions of Citus take it: a regclass, written as text.
  local function relation(o)
    return quote.literal(quote.qualified(o.schema, o.table))
  end

  local function lock(mode)
    return function(o) return { { relation = quote.qualified(o.schema, o.table), mode = mode } } end
  end

  local function literal(item)
    return type(item) == "string" and quote.literal(item) or tostring(item)
  end

  local function distribute(o)
    local list = { relation(o), quote.literal(o.column) }
    for _, argument in ipairs(arguments) do
      local given = o[argument[1]]
      if given ~= nil then list[#list + 1] = argument[1] .. " => " .. literal(given) end
    end
    return { ("SELECT create_distributed_table%s(%s)")
      :format(o.concurrently and "_concurrently" or "", table.concat(list, ", ")) }
  end

  local function check_together(o)
    if o.shard_count and o.shard_count < 1 then check.refuse("shard_count must be at least 1") end
    if o.shard_count and o.colocate_with and o.colocate_with ~= "none" then
      check.refuse("shard_count is that of the table given as colocate_with", "Leave one of the two out.")
    end
    if o.concurrently and o.distribution_type == "append" then
      check.refuse("concurrently is for tables distributed by hash")
    end
    return o
  end

  -- What undistributing needs to know to be reversed: the very arguments of the operation that is undone.
  local function existing_of(o)
    local existing = pick(o, distributed_shape) or {}
    existing[1], existing.schema = o.column, nil
    return existing
  end

  moontide.operation {
    name = "create_distributed_table",
    summary = "Spread the rows of a table over the nodes, by the value of a column",
    build = function(name, column, options)
      local o = check.options(options, distributed_shape)
      o.table, o.column = check.name(name, "the table name"), check.name(column, "the distribution column")
      return check_together(o)
    end,
    sql = distribute,
    inverse = function(o)
      return { moontide.build("undistribute_table", o.table, { schema = o.schema, existing = existing_of(o) }) }
    end,
    lock = function(o) return lock(o.concurrently and "SHARE UPDATE EXCLUSIVE" or "EXCLUSIVE")(o) end,
    source = function(o)
      return source.call("create_distributed_table", o.table, o.column, pick(o, distributed_shape))
    end,
    transactional = function(o) return not o.concurrently end,
  }

  local reference_shape = { schema = check.name }

  moontide.operation {
    name = "create_reference_table",
    summary = "Keep a whole copy of a table on every node",
    build = function(name, options)
      local o = check.options(options, reference_shape)
      o.table = check.name(name, "the table name")
      return o
    end,
    sql = function(o) return { ("SELECT create_reference_table(%s)"):format(relation(o)) } end,
    inverse = function(o)
      return { moontide.build("undistribute_table", o.table, { schema = o.schema, existing = { reference = true } }) }
    end,
    lock = lock "EXCLUSIVE",
    source = function(o) return source.call("create_reference_table", o.table, pick(o, reference_shape)) end,
  }

  local existing_shape = { reference = check.flag }
  for key, item in pairs(distributed_shape) do existing_shape[key] = key ~= "schema" and item or nil end

  local function existing(given, what)
    local was = check.shape(given, what, existing_shape, 1)
    if was.reference then return was end
    was[1] = check.name(given[1], what .. ": the distribution column")
    return was
  end

  local undistribute_shape = { schema = check.name, cascade = check.flag, existing = existing }

  local function again(o)
    local options = pick(o.existing, distributed_shape) or {}
    options.schema = o.schema
    if o.existing.reference then return moontide.build("create_reference_table", o.table, { schema = o.schema }) end
    return moontide.build("create_distributed_table", o.table, o.existing[1], options)
  end

  moontide.operation {
    name = "undistribute_table",
    summary = "Make a distributed or reference table a plain one of this node",
    build = function(name, options)
      local o = check.options(options, undistribute_shape)
      o.table = check.name(name, "the table name")
      return o
    end,
    sql = function(o)
      return { ("SELECT undistribute_table(%s%s)")
        :format(relation(o), o.cascade and ", cascade_via_foreign_keys => true" or "") }
    end,
    inverse = function(o)
      if o.cascade then return nil, "cascade also undistributes the tables that foreign keys lead to" end
      if not o.existing then
        return nil, ('how "%s" was distributed is not known: give existing, as in existing = { "tenant_id" }')
          :format(o.table)
      end
      return { again(o) }
    end,
    lock = lock "ACCESS EXCLUSIVE",
    source = function(o) return source.call("undistribute_table", o.table, pick(o, undistribute_shape)) end,
  }
end
