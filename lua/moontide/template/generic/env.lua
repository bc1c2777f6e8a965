-- The environment of these migrations. Every setting is shown; what is commented
-- out shows its default, or an example where there is none.

return {
  -- The database: a postgresql:// URL (or key=value words). --url on the command
  -- line wins over everything here; left out, $DATABASE_URL is used.
  url = os.getenv("DATABASE_URL"),

  -- The server itself, where `url` goes through a connection pooler. It is what
  -- migrations use; $DATABASE_URL_DIRECT wins over it.
  -- direct_url = "postgresql://...",

  -- Seconds, or a text such as "500ms" or "2min".
  -- connect_timeout = 10,
  -- lock_timeout = "2s",        -- how long a statement waits for a table lock
  -- retries = 30,               -- how often the transaction is tried again when that time is over
  -- statement_timeout = "10min",
  -- idle_in_transaction_timeout = "1min", -- how long a transaction may wait for moontide itself; 0: for ever
  -- lock_wait = "1min",         -- how long to wait for another run of moontide

  -- "online": operations take their online form, where they have one, unless they
  -- are told otherwise.
  -- safe = false,

  -- What `moontide lint` says of each of its rules: "error", "warn" or "off".
  -- lint = { ["drop-column"] = "error" },

  -- Ask at a terminal before an upgrade destroys data: "ask"; "refuse" does not
  -- destroy without --yes; "never" asks nothing.
  -- confirm = "ask",

  -- Folders of revision files, seen from here; recursive reads their sub-folders too.
  -- version_locations = { "versions" },
  -- recursive = false,

  -- The folder of functions, views and triggers that are applied again when their file changes.
  -- repeatable = "repeatable",

  -- Names of new files, from rev, slug, epoch, year, month, day, hour, minute and
  -- second, as in "%(year)d_%(month)d_%(day)d_%(rev)s_%(slug)s".
  -- file_template = "%(rev)s_%(slug)s",
  -- truncate_slug_length = 40,
  -- timezone = "UTC",           -- of the create date: an IANA name, "UTC" or "local"

  -- Where moontide keeps its own tables. The version table can be the one of
  -- Alembic: { schema = "public", name = "alembic_version" }.
  -- schema = "moontide",
  -- version_table = { schema = "moontide", name = "version" },

  -- The file that declares what the database should have, for `moontide check` and
  -- `moontide revision --autogenerate`.
  -- models = "models.lua",

  -- What these look at: patterns for schema, kind and name, exceptions, or a function.
  -- include = { schema = { "public", "app_*" }, except = { { kind = "table", name = "tmp_*" } } },

  -- The schemas in which revisions look for and create what has no schema = "...".
  -- search_path = { "public" },

  -- What to do when an applied file was edited: "error", "warn" or "ignore".
  -- checksums = "error",

  -- One transaction for each "revision", one for the whole "run", or "none".
  -- transaction = "revision",

  -- Values of context.x and of hooks; -x KEY=VALUE on the command line wins.
  -- x = { region = "eu" },

  -- Names of constraints and indexes that have none, by SQLAlchemy's tokens.
  -- naming = { ix = "ix_%(table_name)s_%(column_0_name)s", pk = "pk_%(table_name)s" },

  -- Functions to call: before_upgrade, after_upgrade, before_downgrade,
  -- after_downgrade, before_revision, after_revision, on_error and autogenerate.
  -- hooks = { after_upgrade = function() log "up to date" end },

  -- Lua files of the project that add operations, types, commands, hooks, lint
  -- rules and formatters: names below plugins/, or { "name", option = ... }.
  -- plugins = {},

  -- Programs to run on a new revision file, without a shell, and formatters of plugins.
  -- post_write_hooks = { { name = "format", command = { "stylua", "$FILE" } } },

  -- Several databases, or schemas of one: a list, or a function that returns one. A
  -- target may set url, search_path, schema and most keys of this file. The canary
  -- (a name; else the first; false: none) goes alone, then as many as jobs at a time.
  -- targets = { { name = "eu", url = "postgresql://..." }, { name = "us", url = "postgresql://..." } },
  -- canary = "eu",
  -- jobs = 4,

  -- What is said about a run: level "debug", "info", "warn" or "error", format "text" or "json".
  -- log = { level = "info", format = "text", timestamps = false },

  -- Let revision files use os.execute, io.popen and the rest of Lua.
  -- trusted = false,
}
