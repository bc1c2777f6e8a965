/* The module moontide.runtime.pg: PostgreSQL through libpq. This is only its list of contents. */

#include "pg.h"

static int pg_libpq_version(lua_State *L) {
  lua_pushinteger(L, PQlibVersion());
  return 1;
}

int luaopen_moontide_pg(lua_State *L) {
  static const luaL_Reg functions[] = {{"libpq_version", pg_libpq_version}, {NULL, NULL}};
  luaL_newlib(L, functions);
  pg_rows_open(L);
  pg_copy_open(L);
  pg_connect_open(L);
  return 1;
}
