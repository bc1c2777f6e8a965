/* pg.array: a PostgreSQL array in its binary form, filled element by element: a column of many rows as one parameter.
   Only values that need no thought are written here; what an array does not take the caller encodes. */

#include "pg.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const ARRAY = "moontide.pg.array";

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25, OID_FLOAT4 = 700,
       OID_FLOAT8 = 701 };

/* Dimensions, whether there are NULLs, type, length, lower bound. */
enum { HEAD = 20, SIZE = 4 };

typedef struct Array {
  char *bytes;
  size_t used, room, last; /* `last`: where the last element begins, or 0 where that is not known */
  uint32_t element, count;
} Array;

static void write_integer(char *at, uint64_t number, int size) {
  for (int i = size - 1; i >= 0; i--, number >>= 8) at[i] = (char)(number & 0xff);
}

static char *reserve(lua_State *L, Array *array, size_t size) {
  size_t need = array->used + size;
  if (need > INT32_MAX) luaL_error(L, "an array is longer than 2 GB");
  if (need > array->room) {
    size_t room = need + need / 2 + 1024;
    char *bytes = realloc(array->bytes, room);
    if (bytes == NULL) luaL_error(L, "not enough memory");
    array->bytes = bytes;
    array->room = room;
  }
  return array->bytes + array->used;
}

static void append(lua_State *L, Array *array, const char *bytes, size_t size) {
  memcpy(reserve(L, array, size), bytes, size);
  array->last = array->used;
  array->used += size;
  array->count++;
}

/* An element: its length, then its bytes. */
static bool add_bytes(lua_State *L, Array *array, const char *bytes, size_t size) {
  char *at = reserve(L, array, SIZE + size);
  write_integer(at, size, SIZE);
  memcpy(at + SIZE, bytes, size);
  array->last = array->used;
  array->used += SIZE + size;
  array->count++;
  return true;
}

static bool add_null(lua_State *L, Array *array) {
  append(L, array, "\xff\xff\xff\xff", SIZE);
  return true;
}

static int width_of(const Array *array) {
  return array->element == OID_INT2 ? 2 : array->element == OID_INT4 ? 4 : array->element == OID_INT8 ? 8 : 0;
}

static bool add_integer(lua_State *L, Array *array, lua_Integer number) {
  char bytes[8];
  int width = width_of(array);
  lua_Integer limit = width == 8 ? LUA_MAXINTEGER : ((lua_Integer)1 << (8 * width - 1)) - 1;
  if (number > limit || number < -limit - 1) return false;
  write_integer(bytes, (uint64_t)number, width);
  return add_bytes(L, array, bytes, (size_t)width);
}

static bool add_float(lua_State *L, Array *array, double number) {
  char bytes[8];
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  write_integer(bytes, bits, 8);
  return add_bytes(L, array, bytes, 8);
}

static bool add_boolean(lua_State *L, Array *array, bool value) {
  return add_bytes(L, array, value ? "\1" : "\0", 1);
}

static bool add_string(lua_State *L, Array *array, int index) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  if (array->element == OID_TEXT && memchr(text, '\0', length) != NULL) return false;
  return add_bytes(L, array, text, length);
}

static bool add_value(lua_State *L, Array *array, int index) {
  int type = lua_type(L, index);
  if (type <= LUA_TNIL) return add_null(L, array);
  switch (array->element) {
  case OID_INT2:
  case OID_INT4:
  case OID_INT8: return lua_isinteger(L, index) && add_integer(L, array, lua_tointeger(L, index));
  case OID_FLOAT8: return type == LUA_TNUMBER && add_float(L, array, lua_tonumber(L, index));
  case OID_BOOL: return type == LUA_TBOOLEAN && add_boolean(L, array, lua_toboolean(L, index));
  case OID_TEXT:
  case OID_BYTEA: return type == LUA_TSTRING && add_string(L, array, index);
  default: return false;
  }
}

/* --- methods --- */

/* The array that a method is called on, which has at least its head. */
static Array *check(lua_State *L) {
  Array *array = luaL_checkudata(L, 1, ARRAY);
  luaL_argcheck(L, array->bytes != NULL, 1, "is closed");
  return array;
}

/* array:add(value) -> whether the value is one that needs no thought; nil is NULL */
static int array_add(lua_State *L) {
  lua_pushboolean(L, add_value(L, check(L), 2));
  return 1;
}

/* array:raw(bytes): an element with its length */
static int array_raw(lua_State *L) {
  size_t size;
  Array *array = check(L);
  const char *bytes = luaL_checklstring(L, 2, &size);
  append(L, array, bytes, size);
  return 0;
}

/* array:cell(held, row, column): an element as a result has it */
static int array_cell(lua_State *L) {
  Array *array = check(L);
  const PGresult *result = pg_held(L, 2);
  int row = pg_check_cell(L, 3, PQntuples(result), "row");
  int column = pg_check_cell(L, 4, PQnfields(result), "column");
  const char *text = PQgetvalue(result, row, column);
  if (PQgetisnull(result, row, column))
    add_null(L, array);
  else if (width_of(array) == 0)
    add_bytes(L, array, text, (size_t)PQgetlength(result, row, column));
  else if (!add_integer(L, array, strtoll(text, NULL, 10)))
    return luaL_error(L, "%s is out of range", text);
  return 0;
}

/* array:trim(count): without its last element, where it has one more than that. Where the one before it begins is not
   known, so that another one must be added first. */
static int array_trim(lua_State *L) {
  Array *array = check(L);
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_argcheck(L, count >= 0, 2, "is negative");
  if (array->count - count != 1) return 0;
  if (array->last == 0) return luaL_error(L, "only the last element can be taken away");
  array->used = array->last;
  array->last = 0;
  array->count--;
  return 0;
}

/* array:bytes() -> the parameter */
static int array_bytes(lua_State *L) {
  Array *array = check(L);
  write_integer(array->bytes, 1, SIZE);
  write_integer(array->bytes + SIZE, 1, SIZE);
  write_integer(array->bytes + 2 * SIZE, array->element, SIZE);
  write_integer(array->bytes + 3 * SIZE, array->count, SIZE);
  write_integer(array->bytes + 4 * SIZE, 1, SIZE);
  lua_pushlstring(L, array->bytes, array->used);
  return 1;
}

static int array_length(lua_State *L) {
  lua_pushinteger(L, check(L)->count);
  return 1;
}

/* close, __gc and __close: frees the elements, which Lua does not know the size of. */
static int array_close(lua_State *L) {
  Array *array = luaL_checkudata(L, 1, ARRAY);
  free(array->bytes);
  array->bytes = NULL;
  array->used = array->room = 0;
  return 0;
}

/* pg.array(element): of a type's oid */
static int pg_array(lua_State *L) {
  uint32_t element = (uint32_t)luaL_checkinteger(L, 1);
  Array *array = lua_newuserdatauv(L, sizeof *array, 0);
  *array = (Array){.element = element};
  luaL_setmetatable(L, ARRAY);
  reserve(L, array, HEAD);
  array->used = HEAD;
  return 1;
}

void pg_array_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"add", array_add}, {"raw", array_raw}, {"cell", array_cell},
                                     {"trim", array_trim}, {"bytes", array_bytes}, {"close", array_close},
                                     {NULL, NULL}};
  static const luaL_Reg events[] = {
      {"__len", array_length}, {"__close", array_close}, {"__gc", array_close}, {NULL, NULL}};
  luaL_newmetatable(L, ARRAY);
  luaL_setfuncs(L, events, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, pg_array);
  lua_setfield(L, -2, "array");
}
