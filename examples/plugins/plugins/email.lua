--- A type for addresses: `op.create_email_type()` makes the domain, and afterwards
--- "email_address" is a type like "text", so that a misspelt one is noticed.

---@param moontide moontide.PluginApi
---@param options { schema: string? }  where the domain lives
return function(moontide, options)
  moontide.name { name = "email", version = "1.0" }

  moontide.type { name = "email_address", summary = "an address, checked as HTML forms do" }

  local domain = moontide.quote.qualified(options.schema, "email_address")
  local pattern = [[^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$]]

  local function nothing() return {} end

  moontide.operation {
    name = "create_email_type",
    summary = "Create the type email_address",
    build = nothing,
    sql = function()
      return { ("CREATE DOMAIN %s AS text CHECK (value ~ %s)"):format(domain, moontide.quote.literal(pattern)) }
    end,
    inverse = function() return { moontide.build("drop_email_type") } end,
    lock = nothing,
    source = function() return moontide.source.call("create_email_type") end,
  }

  moontide.operation {
    name = "drop_email_type",
    summary = "Drop the type email_address",
    build = nothing,
    sql = function() return { "DROP DOMAIN " .. domain } end,
    inverse = function() return { moontide.build("create_email_type") } end,
    lock = nothing,
    source = function() return moontide.source.call("drop_email_type") end,
  }
end
