/* Values on the way to the server (parameters) and back (rows). Parameters and results travel as text, which for the
   types decoded here costs no more than binary; only bytes are sent in binary. */

#include "pg.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  OID_BOOL = 16,
  OID_BYTEA = 17,
  OID_INT8 = 20,
  OID_INT2 = 21,
  OID_INT4 = 23,
  OID_OID = 26,
  OID_FLOAT4 = 700,
  OID_FLOAT8 = 701
};

/* --- parameters --- */

/* All of it in one block: the struct, then the arrays, the most aligned first. */
static PgParams *new_params(lua_State *L, int room) {
  size_t each = sizeof(char *) + sizeof(Oid) + 2 * sizeof(int) + sizeof(char[32]);
  PgParams *params = lua_newuserdatauv(L, sizeof *params + (size_t)room * each, 0);
  params->count = 0;
  params->room = room;
  params->values = (const char **)(params + 1);
  params->types = (Oid *)(params->values + room);
  params->lengths = (int *)(params->types + room);
  params->formats = params->lengths + room;
  params->digits = (char(*)[32])(params->formats + room);
  return params;
}

PgParams *pg_params(lua_State *L) {
  return new_params(L, 8);
}

/* The shortest text that reads back as the same float: 0.1 must not arrive in a numeric column as
   0.1000000000000000055. */
static int format_float(double number, char digits[32]) {
  int length = 0;
  if (isnan(number)) return snprintf(digits, 32, "NaN");
  if (isinf(number)) return snprintf(digits, 32, number > 0 ? "Infinity" : "-Infinity");
  for (int precision = 15; precision <= 17; precision++) {
    length = snprintf(digits, 32, "%.*g", precision, number);
    if (!(strtod(digits, NULL) < number) && !(strtod(digits, NULL) > number)) break;
  }
  return length;
}

int pg_format_number(lua_State *L, int index, char digits[32]) {
  if (lua_isinteger(L, index))
    return snprintf(digits, 32, LUA_INTEGER_FMT, (LUAI_UACINT)lua_tointeger(L, index));
  return format_float(lua_tonumber(L, index), digits);
}

static int refuse(lua_State *L, const PgParams *params, int i, const char *what) {
  return pg_refuse(L, params->number, "parameter %d %s", i + 1, what);
}

static void set_string(lua_State *L, PgParams *params, int i, bool bytes) {
  size_t length;
  if (lua_type(L, -1) != LUA_TSTRING) refuse(L, params, i, "has a \"value\" that is not a string");
  params->values[i] = lua_tolstring(L, -1, &length);
  if (length > INT32_MAX) refuse(L, params, i, "is longer than 2 GB");
  if (!bytes && memchr(params->values[i], '\0', length) != NULL) refuse(L, params, i, "contains a NUL byte");
  params->lengths[i] = (int)length;
  params->formats[i] = bytes;
}

static void raw_field(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, -2);
}

/* {type = "bytea", value = bytes}, {oid = integer, value = text} or {oid = integer, value = bytes, binary = true}. The
   table keeps the string while libpq reads it. */
static void set_typed(lua_State *L, PgParams *params, int i) {
  bool bytes, binary;
  raw_field(L, "type");
  bytes = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "bytea") == 0;
  lua_pop(L, 1);
  raw_field(L, "binary");
  binary = lua_toboolean(L, -1);
  lua_pop(L, 1);
  raw_field(L, "oid");
  if (!bytes && !lua_isinteger(L, -1)) refuse(L, params, i, "is a table without a known \"type\" or an \"oid\"");
  params->types[i] = bytes ? OID_BYTEA : (Oid)lua_tointeger(L, -1);
  lua_pop(L, 1);
  raw_field(L, "value");
  if (!lua_isnil(L, -1)) set_string(L, params, i, bytes || binary);
  lua_pop(L, 1);
}

static void set_param(lua_State *L, PgParams *params, int i) {
  params->values[i] = NULL;
  params->types[i] = 0;
  params->lengths[i] = params->formats[i] = 0;
  switch (lua_type(L, -1)) {
  case LUA_TNIL: break;
  case LUA_TBOOLEAN: params->values[i] = lua_toboolean(L, -1) ? "true" : "false"; break;
  case LUA_TNUMBER:
    pg_format_number(L, -1, params->digits[i]);
    params->values[i] = params->digits[i];
    break;
  case LUA_TSTRING: set_string(L, params, i, false); break;
  case LUA_TTABLE: set_typed(L, params, i); break;
  default: pg_refuse(L, params->number, "parameter %d is a %s", i + 1, luaL_typename(L, -1));
  }
}

static int count_params(lua_State *L, int index, lua_Integer number) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, index);
  lua_pushvalue(L, index);
  raw_field(L, "n");
  if (!lua_isnil(L, -1)) count = luaL_checkinteger(L, -1);
  lua_pop(L, 2);
  if (count < 0 || count > PQ_QUERY_PARAM_MAX_LIMIT)
    pg_refuse(L, number, "a statement cannot have %I parameters", count);
  return (int)count;
}

PgParams *pg_fill_params(lua_State *L, int scratch, int index, lua_Integer number) {
  PgParams *params = lua_touserdata(L, scratch);
  int count = 0;
  if (!lua_isnoneornil(L, index)) {
    luaL_checktype(L, index, LUA_TTABLE);
    count = count_params(L, index, number);
  }
  if (count > params->room) {
    params = new_params(L, count);
    lua_replace(L, scratch);
  }
  params->count = count;
  params->number = number;
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, index, i + 1);
    set_param(L, params, i);
    lua_pop(L, 1);
  }
  return params;
}

/* --- results --- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 0;
}

static size_t decode_hex(const char *text, size_t length, char *bytes) {
  for (size_t i = 0; i < length / 2; i++)
    bytes[i] = (char)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
  return length / 2;
}

/* The old format: two backslashes for one, \ooo for what is not printable. */
static size_t decode_escape(const char *text, size_t length, char *bytes) {
  size_t size = 0;
  for (size_t i = 0; i < length; size++) {
    if (text[i] != '\\' || i + 1 >= length) {
      bytes[size] = text[i++];
    } else if (text[i + 1] == '\\' || i + 3 >= length) {
      bytes[size] = text[i + 1];
      i += 2;
    } else {
      bytes[size] = (char)((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
      i += 4;
    }
  }
  return size;
}

static void push_bytea(lua_State *L, const char *text, size_t length) {
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, length + 1);
  bool hex = length >= 2 && text[0] == '\\' && text[1] == 'x';
  luaL_pushresultsize(&buffer, hex ? decode_hex(text + 2, length - 2, bytes)
                                   : decode_escape(text, length, bytes));
}

/* libpq ends every text with a NUL, so the parsers stop in time. */
void pg_push_cell(lua_State *L, const PGresult *result, int row, int column) {
  const char *text = PQgetvalue(result, row, column);
  size_t length = (size_t)PQgetlength(result, row, column);
  switch (PQftype(result, column)) {
  case OID_INT2:
  case OID_INT4:
  case OID_INT8:
  case OID_OID: lua_pushinteger(L, strtoll(text, NULL, 10)); break;
  case OID_FLOAT4:
  case OID_FLOAT8: lua_pushnumber(L, strtod(text, NULL)); break;
  case OID_BOOL: lua_pushboolean(L, text[0] == 't'); break;
  case OID_BYTEA: push_bytea(L, text, length); break;
  default: lua_pushlstring(L, text, length); break;
  }
}

void pg_push_columns(lua_State *L, const PGresult *result) {
  int count = PQnfields(result);
  lua_createtable(L, count, 0);
  for (int i = 0; i < count; i++) {
    lua_pushstring(L, PQfname(result, i));
    lua_rawseti(L, -2, i + 1);
  }
}

static int count_values(const PGresult *result, int row, int skip) {
  int count = 0;
  for (int i = PQnfields(result); i-- > skip;) count += !PQgetisnull(result, row, i);
  return count;
}

/* `columns` is where the table of names is, so that each name is made a Lua string once a result, not once a cell. */
void pg_push_row(lua_State *L, const PGresult *result, int row, int columns, int skip) {
  int count = PQnfields(result);
  lua_createtable(L, 0, count_values(result, row, skip));
  for (int i = skip; i < count; i++) {
    if (PQgetisnull(result, row, i)) continue;
    lua_rawgeti(L, columns, i + 1);
    pg_push_cell(L, result, row, i);
    lua_rawset(L, -3);
  }
}

static void set_command(lua_State *L, PGresult *result) {
  const char *affected = PQcmdTuples(result);
  rt_setfield_string(L, "command", PQcmdStatus(result));
  if (*affected == '\0') return;
  lua_pushinteger(L, strtoll(affected, NULL, 10));
  lua_setfield(L, -2, "affected");
}

static void set_rows(lua_State *L, const PGresult *result) {
  int count = PQntuples(result), columns;
  pg_push_columns(L, result);
  columns = lua_gettop(L);
  for (int i = 0; i < count; i++) {
    pg_push_row(L, result, i, columns, 0);
    lua_rawseti(L, -3, i + 1);
  }
  lua_setfield(L, -2, "columns");
}

void pg_push_result(lua_State *L, PgConn *conn, PgBox *box, bool rows) {
  lua_createtable(L, rows ? PQntuples(box->result) : 0, 4);
  if (rows) set_rows(L, box->result);
  set_command(L, box->result);
  if (pg_push_notices(L, conn)) lua_setfield(L, -2, "notices");
  pg_unbox(box);
}
