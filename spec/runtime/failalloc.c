/* Runs a Lua script again and again, with memory that runs out at the first, the second, the third ... allocation, until
   a run gets through. Whatever happens, the program must not crash, and all memory must be back when the state is closed.

       failalloc script.lua once|forever [step] [first]

   `once` fails one request (and Lua's second try after collecting garbage), so that the rest of the script shows whether the
   binding recovers; `forever` fails every request from there on. `step` leaves points out. The script calls arm() where the
   counting begins. */

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"

typedef struct Memory {
  lua_State *L; /* NULL while it is made */
  long fail_at, asked; /* counting from arm() */
  bool armed, forever;
  long blocks;
  size_t bytes;
} Memory;

/* A finalizer that Lua has no memory to call is lost, with what it would have freed: that is not the binding's leak. Lua
   collects no garbage while it calls one. */
static bool finalizes(const Memory *memory) {
  return memory->L != NULL && lua_gc(memory->L, LUA_GCISRUNNING) != 1;
}

/* Shrinking never fails: Lua relies on it. */
static bool runs_out(Memory *memory, size_t before, size_t after) {
  if (!memory->armed || after <= before || finalizes(memory)) return false;
  memory->asked++;
  return memory->asked >= memory->fail_at && (memory->forever || memory->asked <= memory->fail_at + 1);
}

static void *allocate(void *user, void *block, size_t before, size_t after) {
  Memory *memory = user;
  void *moved;
  if (block == NULL) before = 0; /* then it is a type tag */
  if (after == 0) {
    if (block != NULL) memory->blocks--;
    memory->bytes -= before;
    free(block);
    return NULL;
  }
  if (runs_out(memory, before, after)) return NULL;
  moved = realloc(block, after);
  if (moved == NULL) return NULL;
  if (block == NULL) memory->blocks++;
  memory->bytes += after - before;
  return moved;
}

static int arm(lua_State *L) {
  void *user;
  lua_getallocf(L, &user);
  ((Memory *)user)->armed = true;
  return 0;
}

/* run(path) */
static int run(lua_State *L) {
  luaL_openlibs(L);
  luaL_requiref(L, "moontide.runtime.pg", luaopen_moontide_pg, 0);
  luaL_requiref(L, "moontide.runtime.digest", luaopen_moontide_digest, 0);
  lua_register(L, "arm", arm);
  lua_settop(L, 1);
  if (luaL_loadfile(L, lua_touserdata(L, 1)) != LUA_OK) return lua_error(L);
  lua_call(L, 0, 0);
  return 0;
}

/* Running out of memory is told as Lua's own message, or makes something else fail that raises a table. */
static bool is_expected(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  return lua_istable(L, -1) || (message != NULL && strstr(message, "not enough memory") != NULL);
}

/* One run. True when it went as it may. */
static bool attempt(Memory *memory, char *script) {
  lua_State *L = lua_newstate(allocate, memory);
  bool good;
  if (L == NULL) return false;
  memory->L = L;
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, script);
  good = lua_pcall(L, 1, 0, 0) == LUA_OK || is_expected(L);
  if (!good) fprintf(stderr, "point %ld: %s\n", memory->fail_at, luaL_tolstring(L, -1, NULL));
  memory->armed = memory->forever && good;
  lua_close(L);
  if (memory->blocks != 0 || memory->bytes != 0)
    fprintf(stderr, "point %ld: %zu bytes are not back\n", memory->fail_at, memory->bytes);
  return good && memory->blocks == 0 && memory->bytes == 0;
}

int main(int argc, char **argv) {
  long step = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
  long point = argc > 4 ? strtol(argv[4], NULL, 10) : 1, points = 0, bad = 0;
  bool reached = true;
  if (argc < 3 || step < 1) return 2;
  for (; reached; point += step) {
    Memory memory = {.fail_at = point, .forever = strcmp(argv[2], "forever") == 0};
    if (!attempt(&memory, argv[1])) bad++;
    reached = memory.asked >= point;
    points += reached;
  }
  printf("%ld points, %ld bad\n", points, bad);
  return bad == 0 && points > 0 ? 0 : 1;
}
