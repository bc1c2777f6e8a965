/* The module moontide.runtime.digest: checksums of revisions, and of the rows that they load.

   The plain SHA256_* functions are deprecated in favour of EVP, but the first use of EVP reads openssl.cnf and looks
   for providers: about 1 ms, a tenth of a whole run that has nothing to do. These need nothing, and compute as fast. */

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rt.h"

static const char *const SUM = "moontide.digest.sum";

/* Stack indexes in sum_rows. */
enum { ROWS = 2, COLUMNS = 3, ROW = 4 };

/* The digits of a finished checksum. [-0, +1] */
static void push_hex(lua_State *L, SHA256_CTX *context) {
  static const char digits[] = "0123456789abcdef";
  unsigned char bytes[SHA256_DIGEST_LENGTH];
  char hex[2 * sizeof bytes];
  if (!SHA256_Final(bytes, context)) rt_raise(L, "internal", "could not compute a SHA-256 digest");
  for (size_t i = 0; i < sizeof bytes; i++) {
    hex[2 * i] = digits[bytes[i] >> 4];
    hex[2 * i + 1] = digits[bytes[i] & 15];
  }
  lua_pushlstring(L, hex, sizeof hex);
}

/* digest.sha256(bytes) -> 64 hexadecimal digits */
static int digest_sha256(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes, length);
  push_hex(L, &context);
  return 1;
}

/* digest.sum() -> a checksum that is fed piece by piece. It owns nothing but its own memory. */
static int digest_sum(lua_State *L) {
  SHA256_CTX *context = lua_newuserdatauv(L, sizeof *context, 0);
  SHA256_Init(context);
  luaL_setmetatable(L, SUM);
  return 1;
}

/* sum:write(bytes) */
static int sum_write(lua_State *L) {
  SHA256_CTX *context = luaL_checkudata(L, 1, SUM);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  SHA256_Update(context, bytes, length);
  return 0;
}

/* A value as its kind, its length and its bytes, so that no two rows have the same. */
static void add_cell(SHA256_CTX *context, char kind, const void *bytes, size_t length) {
  unsigned char head[1 + sizeof(uint64_t)] = {(unsigned char)kind};
  uint64_t size = length;
  memcpy(head + 1, &size, sizeof size);
  SHA256_Update(context, head, sizeof head);
  SHA256_Update(context, bytes, length);
}

/* How copy:rows sends the "value" of the table on top: as bytes, as text, or not at all. [-0, +0] */
static char kind_of(lua_State *L) {
  bool bytes, text;
  lua_pushliteral(L, "type");
  bytes = lua_rawget(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "bytea") == 0;
  lua_pushliteral(L, "oid");
  text = lua_rawget(L, -3) == LUA_TNUMBER;
  lua_pop(L, 2);
  return bytes ? 'b' : text ? 's' : '?';
}

/* The table on top, {type = "bytea", value = bytes} or {oid = integer, value = text}. [-0, +0] */
static void add_typed(lua_State *L, SHA256_CTX *context) {
  size_t length;
  const char *text;
  char kind = kind_of(L);
  lua_pushliteral(L, "value");
  switch (lua_rawget(L, -2)) {
  case LUA_TNIL: add_cell(context, kind == '?' ? kind : '0', "", 0); break;
  case LUA_TSTRING:
    text = lua_tolstring(L, -1, &length);
    add_cell(context, kind, text, length);
    break;
  default: add_cell(context, '?', "", 0);
  }
  lua_pop(L, 1);
}

/* The value on top. What copy:rows does not take it refuses; here it is like no value that was taken. [-0, +0] */
static void add_value(lua_State *L, SHA256_CTX *context) {
  size_t length;
  const char *text;
  lua_Integer integer;
  lua_Number number;
  switch (lua_type(L, -1)) {
  case LUA_TSTRING:
    text = lua_tolstring(L, -1, &length);
    add_cell(context, 's', text, length);
    break;
  case LUA_TNUMBER:
    integer = lua_tointeger(L, -1);
    number = lua_tonumber(L, -1);
    if (lua_isinteger(L, -1))
      add_cell(context, 'i', &integer, sizeof integer);
    else
      add_cell(context, 'n', &number, sizeof number);
    break;
  case LUA_TBOOLEAN: add_cell(context, lua_toboolean(L, -1) ? 't' : 'f', "", 0); break;
  case LUA_TTABLE: add_typed(L, context); break;
  case LUA_TNIL: add_cell(context, '0', "", 0); break;
  default: add_cell(context, '?', "", 0);
  }
}

/* sum:rows(list, columns): the values of each row in the order of the columns, as copy:rows takes them */
static int sum_rows(lua_State *L) {
  SHA256_CTX *context = luaL_checkudata(L, 1, SUM);
  lua_Integer count, width;
  luaL_checktype(L, ROWS, LUA_TTABLE);
  luaL_checktype(L, COLUMNS, LUA_TTABLE);
  lua_settop(L, COLUMNS);
  count = (lua_Integer)lua_rawlen(L, ROWS);
  width = (lua_Integer)lua_rawlen(L, COLUMNS);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(L, ROWS, i) != LUA_TTABLE) return rt_raise(L, "operation", "row %I is not a table", i);
    for (lua_Integer k = 1; k <= width; k++) {
      lua_rawgeti(L, COLUMNS, k);
      lua_rawget(L, ROW);
      add_value(L, context);
      lua_settop(L, ROW);
    }
    lua_settop(L, COLUMNS);
  }
  return 0;
}

/* sum:hex() -> 64 hexadecimal digits of what was fed so far; more may follow */
static int sum_hex(lua_State *L) {
  SHA256_CTX context = *(SHA256_CTX *)luaL_checkudata(L, 1, SUM);
  push_hex(L, &context);
  return 1;
}

static const luaL_Reg functions[] = {
  {"sha256", digest_sha256},
  {"sum", digest_sum},
  {NULL, NULL},
};

static const luaL_Reg methods[] = {
  {"hex", sum_hex},
  {"rows", sum_rows},
  {"write", sum_write},
  {NULL, NULL},
};

int luaopen_moontide_digest(lua_State *L) {
  luaL_newmetatable(L, SUM);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
