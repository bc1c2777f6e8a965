/* The program: a Lua state, one protected call of moontide.main with the arguments, its exit code.

   The collector stays as Lua sets it up. Measured with `heads` and `history` of 10,000 revisions and with runs that
   have nothing to do: generational mode, longer pauses and no collection at all differ by less than the noise in time,
   and longer pauses double the peak memory. */

#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "loader.h"
#include "rt.h"

/* Errors that are values are for moontide.main; a string here is a mistake in the program, so it gets a traceback. */
static int explain(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (message != NULL) luaL_traceback(L, L, message, 1);
  return 1;
}

/* {[0] = program, arguments...} [-0, +1] */
static void push_arguments(lua_State *L, int argc, char **argv) {
  lua_createtable(L, argc, 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_seti(L, -2, i);
  }
}

/* Runs protected: (argc, argv) -> exit code */
static int run(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  luaL_openlibs(L);
  loader_install(L);
  rt_catch_signals(L);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moontide.main");
  lua_call(L, 1, 1);
  push_arguments(L, argc, argv);
  lua_call(L, 1, 1);
  return 1;
}

/* [-1, +0] */
static int report(lua_State *L) {
  const char *message = luaL_tolstring(L, -1, NULL);
  fprintf(stderr, "moontide: %s\n", message);
  lua_pop(L, 1);
  return EXIT_FAILURE;
}

/*
 * Connections and files are closed by the program itself, as to-be-closed variables; what is left is memory, which
 * the system takes back faster than free() does. Leak checkers want to see it freed.
 */
static void close_state(lua_State *L) {
#ifdef MOONTIDE_CLOSE_STATE
  lua_close(L);
#else
  (void)L;
#endif
}

int main(int argc, char **argv) {
  int code;
  lua_State *L = luaL_newstate();
  if (L == NULL) {
    fputs("moontide: out of memory\n", stderr);
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, explain);
  lua_pushcfunction(L, run);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  code = lua_pcall(L, 2, 1, 1) == LUA_OK ? (int)lua_tointeger(L, -1) : report(L);
  close_state(L);
  return code;
}
