/* libFuzzer's side of spec/fuzz/target.lua: one Lua state, one reader, named by $MOONTIDE_FUZZ_TARGET. The reader is
   Lua, which the compiler cannot instrument, so a line hook counts the lines that run as libFuzzer's extra counters,
   and every new outcome (the message of a fault) counts as news too. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "loader.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COUNTERS 65536u

__attribute__((used, section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static lua_State *L;

static void count(uintptr_t where) {
  counters[(where ^ (where >> 16)) % COUNTERS]++;
}

static void count_line(lua_State *state, lua_Debug *where) {
  lua_getinfo(state, "S", where);
  count((uintptr_t)where->source * 31 + (uintptr_t)where->currentline * 2654435761u);
}

/* Digits, which are mostly line numbers, make no new outcome. */
static void count_outcome(const char *text) {
  uintptr_t hash = 5381;
  for (; *text != '\0'; text++)
    if (*text < '0' || *text > '9') hash = hash * 33 + (uintptr_t)(unsigned char)*text;
  count(hash);
}

static void give_up(void) {
  fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  abort();
}

/* Pushes the function target.try. */
static int load_target(lua_State *state) {
  if (luaL_dostring(state, "package.path = './?.lua;' .. package.path return require('spec.fuzz.target').try") != LUA_OK)
    return lua_error(state);
  return 1;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  L = luaL_newstate();
  luaL_openlibs(L);
  loader_install(L);
  lua_pushcfunction(L, load_target);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) give_up();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lua_pushvalue(L, -1);
  lua_pushstring(L, getenv("MOONTIDE_FUZZ_TARGET"));
  lua_pushlstring(L, (const char *)data, size);
  lua_sethook(L, count_line, LUA_MASKLINE, 0);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) give_up();
  lua_sethook(L, NULL, 0, 0);
  count_outcome(lua_tostring(L, -1));
  lua_pop(L, 1);
  return 0;
}
