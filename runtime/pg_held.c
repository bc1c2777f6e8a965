/* A result of a pipeline as it came (rows = "held"): a row becomes a table only when it is asked for, so that those of
   a large result need not all be there at once. */

#include "pg.h"

static const char *const HELD = "moontide.pg.held";

/* User values: the names of the columns. */
enum { COLUMNS = 1 };

PGresult *pg_held(lua_State *L, int index) {
  PgBox *box = luaL_checkudata(L, index, HELD);
  luaL_argcheck(L, box->result != NULL, index, "is closed");
  return box->result;
}

void pg_push_held(lua_State *L, PgBox *from) {
  PgBox *box = lua_newuserdatauv(L, sizeof *box, 1);
  box->result = NULL;
  luaL_setmetatable(L, HELD);
  pg_push_columns(L, from->result);
  lua_setiuservalue(L, -2, COLUMNS);
  box->result = from->result;
  from->result = NULL;
}

int pg_check_cell(lua_State *L, int index, int limit, const char *what) {
  lua_Integer number = luaL_checkinteger(L, index);
  if (number < 1 || number > limit) return luaL_error(L, "there is no %s %I", what, (LUAI_UACINT)number);
  return (int)number - 1;
}

/* #held */
static int held_length(lua_State *L) {
  lua_pushinteger(L, PQntuples(pg_held(L, 1)));
  return 1;
}

/* held:row(number, skip?) -> the row as a table, without its first columns */
static int held_row(lua_State *L) {
  const PGresult *result = pg_held(L, 1);
  int row = pg_check_cell(L, 2, PQntuples(result), "row");
  lua_Integer skip = luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, 0 <= skip && skip <= PQnfields(result), 3, "is more than there are columns");
  lua_getiuservalue(L, 1, COLUMNS);
  pg_push_row(L, result, row, lua_gettop(L), (int)skip);
  return 1;
}

/* held:cell(row, column) -> the value */
static int held_cell(lua_State *L) {
  const PGresult *result = pg_held(L, 1);
  int row = pg_check_cell(L, 2, PQntuples(result), "row");
  int column = pg_check_cell(L, 3, PQnfields(result), "column");
  if (PQgetisnull(result, row, column)) lua_pushnil(L);
  else pg_push_cell(L, result, row, column);
  return 1;
}

/* close, __gc and __close: frees the rows, which Lua does not know the size of. */
static int held_close(lua_State *L) {
  pg_unbox(luaL_checkudata(L, 1, HELD));
  return 0;
}

void pg_held_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"row", held_row}, {"cell", held_cell}, {"close", held_close}, {NULL, NULL}};
  static const luaL_Reg events[] = {
      {"__len", held_length}, {"__close", held_close}, {"__gc", held_close}, {NULL, NULL}};
  luaL_newmetatable(L, HELD);
  luaL_setfuncs(L, events, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
