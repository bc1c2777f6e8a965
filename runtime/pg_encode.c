/* copy:rows: Lua rows in the text format of COPY. Columns end with a tab, rows with a newline, \N is NULL, and a
   backslash stands before what would be mistaken for one of these. */

#include "pg_copy.h"

#include <string.h>

/* Stack indexes in pg_copy_rows. */
enum { COPY = 1, LIST = 2, COLUMNS = 3, ROW = 4 };

/* Raises about the value at hand, in row `row` and the column whose name is below the value. */
static int refuse(lua_State *L, lua_Integer row, const char *what) {
  lua_pushvalue(L, ROW + 1);
  rt_pushfault(L, "operation", "row %I, column \"%s\" %s", row, lua_tostring(L, -1), what);
  lua_pushinteger(L, row);
  lua_setfield(L, -2, "row");
  lua_pushvalue(L, ROW + 1);
  lua_setfield(L, -2, "column");
  return lua_error(L);
}

static void add_escaped(lua_State *L, PgCopy *copy, lua_Integer row) {
  static const char SPECIAL[] = "\\\t\n\r", LETTERS[] = "\\tnr";
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  if (memchr(text, '\0', length) != NULL) refuse(L, row, "contains a NUL byte");
  while (*text != '\0') {
    size_t run = strcspn(text, SPECIAL);
    pg_copy_add(L, copy, text, run);
    text += run;
    if (*text == '\0') break;
    pg_copy_add(L, copy, "\\", 1);
    pg_copy_add(L, copy, LETTERS + (strchr(SPECIAL, *text++) - SPECIAL), 1);
  }
}

static void add_bytes(lua_State *L, PgCopy *copy) {
  static const char DIGITS[] = "0123456789abcdef";
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  pg_copy_add(L, copy, "\\\\x", 3);
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)bytes[i];
    char pair[2] = {DIGITS[byte >> 4], DIGITS[byte & 15]};
    pg_copy_add(L, copy, pair, 2);
  }
}

/* {type = "bytea", value = bytes} or {oid = integer, value = text}, as for parameters. */
static void add_typed(lua_State *L, PgCopy *copy, lua_Integer row) {
  bool bytes;
  lua_pushliteral(L, "type");
  bytes = lua_rawget(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "bytea") == 0;
  lua_pushliteral(L, "oid");
  if (lua_rawget(L, -3) != LUA_TNUMBER && !bytes)
    refuse(L, row, "is a table without a known \"type\" or an \"oid\"");
  lua_pop(L, 2);
  lua_pushliteral(L, "value");
  switch (lua_rawget(L, -2)) {
  case LUA_TNIL: pg_copy_add(L, copy, "\\N", 2); break;
  case LUA_TSTRING:
    if (bytes)
      add_bytes(L, copy);
    else
      add_escaped(L, copy, row);
    break;
  default: refuse(L, row, "has a \"value\" that is not a string");
  }
  lua_pop(L, 1);
}

/* The value on top. [-0, +0] */
static void add_value(lua_State *L, PgCopy *copy, lua_Integer row) {
  char digits[32];
  switch (lua_type(L, -1)) {
  case LUA_TNIL: pg_copy_add(L, copy, "\\N", 2); break;
  case LUA_TBOOLEAN: pg_copy_add(L, copy, lua_toboolean(L, -1) ? "t" : "f", 1); break;
  case LUA_TNUMBER: pg_copy_add(L, copy, digits, (size_t)pg_format_number(L, -1, digits)); break;
  case LUA_TSTRING: add_escaped(L, copy, row); break;
  case LUA_TTABLE: add_typed(L, copy, row); break;
  default: refuse(L, row, "has a type that cannot be stored");
  }
}

/* The row at index ROW. */
static void add_row(lua_State *L, PgCopy *copy, lua_Integer row, lua_Integer width) {
  copy->broken = true;
  for (lua_Integer i = 1; i <= width; i++) {
    if (i > 1) pg_copy_add(L, copy, "\t", 1);
    lua_rawgeti(L, COLUMNS, i);
    lua_pushvalue(L, -1);
    lua_rawget(L, ROW);
    add_value(L, copy, row);
    lua_settop(L, ROW);
  }
  pg_copy_add(L, copy, "\n", 1);
  copy->broken = false;
}

int pg_copy_rows(lua_State *L) {
  PgCopy *copy = pg_copy_in(L);
  lua_Integer count, width;
  luaL_checktype(L, LIST, LUA_TTABLE);
  luaL_checktype(L, COLUMNS, LUA_TTABLE);
  lua_settop(L, COLUMNS);
  count = (lua_Integer)lua_rawlen(L, LIST);
  width = (lua_Integer)lua_rawlen(L, COLUMNS);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(L, LIST, i) != LUA_TTABLE) return rt_raise(L, "operation", "row %I is not a table", i);
    add_row(L, copy, i, width);
    lua_settop(L, COLUMNS);
  }
  return 0;
}
