/* Time and chance: clocks, waiting, interrupts, random bytes. */

#include "sys.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "rt.h"

/* sys.clock() -> seconds that only ever go forward */
static int clock_clock(lua_State *L) {
  lua_pushnumber(L, rt_clock());
  return 1;
}

/* sys.time() -> seconds since 1970, with a fraction */
static int clock_time(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
  return 1;
}

/* sys.sleep(seconds); Ctrl-C raises "interrupted" */
static int clock_sleep(lua_State *L) {
  double deadline = rt_clock() + luaL_checknumber(L, 1);
  if (rt_poll(NULL, 0, deadline) < 0) return rt_raise_interrupted(L);
  return 0;
}

/* sys.interrupted() -> whether Ctrl-C was pressed and nobody has reacted yet */
static int clock_interrupted(lua_State *L) {
  lua_pushboolean(L, rt_interrupted());
  return 1;
}

/* sys.random(count) -> that many unpredictable bytes */
static int clock_random(lua_State *L) {
  luaL_Buffer buffer;
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, 0 <= count && count <= 256, 1, "must be 0 to 256");
  luaL_buffinit(L, &buffer);
  if (getentropy(luaL_prepbuffer(&buffer), (size_t)count) != 0)
    return rt_raise(L, "internal", "could not get random bytes: %s", strerror(errno));
  luaL_pushresultsize(&buffer, (size_t)count);
  return 1;
}

static const luaL_Reg functions[] = {
  /* time */
  {"clock", clock_clock},
  {"time", clock_time},
  {"sleep", clock_sleep},
  {"interrupted", clock_interrupted},
  /* chance */
  {"random", clock_random},
  {NULL, NULL},
};

void sys_open_clock(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
