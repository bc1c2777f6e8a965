-- An environment for a cluster of Citus nodes. Without one, look at the script:
--
--   moontide -c citus upgrade --sql

return {
  url = os.getenv("DATABASE_URL"),
  plugins = { "../plugins/citus" },
}
