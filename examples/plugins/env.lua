-- An environment with plugins. Try it from this folder:
--
--   moontide -c . upgrade

return {
  url = os.getenv("DATABASE_URL"),

  -- Each is a file below plugins/. They are set up in this order, but after those they require.
  plugins = {
    "audit",
    { "email", schema = "public" },
    "sizes",
    "signpost",
    "tidy",
    "house",
    "search",
    { "room", limit = 80 },
    "hosts",
    { "calendar", unit = "month" },
  },

  -- `moontide check` and `revision --autogenerate` look at the kind that "search" adds, and at nothing else.
  models = "models.lua",
  include = { kind = "text search configuration" },

  -- The formatter that the plugin "tidy" registers.
  post_write_hooks = { "tidy" },
}
