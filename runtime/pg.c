/* The module moontide.runtime.pg: PostgreSQL through libpq. This is only its list of contents. */

#include "pg.h"

#include <math.h>

static int pg_libpq_version(lua_State *L) {
  lua_pushinteger(L, PQlibVersion());
  return 1;
}

enum { WAITING = 64 };

/* The connections of the list, which have been launched. */
static int take_connections(lua_State *L, PgConn **conns) {
  int count = (int)lua_rawlen(L, 1);
  luaL_argcheck(L, 0 < count && count <= WAITING, 1, "must be 1 to 64 connections");
  for (int i = 0; i < count; i++) {
    lua_rawgeti(L, 1, i + 1);
    conns[i] = pg_conn(L, -1);
    lua_pop(L, 1);
  }
  return count;
}

/* The first connection whose answer can be read without waiting, from 1; 0 for none. Sends what is unsent. */
static int find_ready(PgConn **conns, struct pollfd *sockets, int count) {
  for (int i = 0; i < count; i++) {
    PGconn *pg = conns[i]->pg;
    int unsent = PQflush(pg);
    PQconsumeInput(pg);
    if (PQstatus(pg) == CONNECTION_BAD || PQsocket(pg) < 0 || !PQisBusy(pg)) return i + 1;
    sockets[i] = (struct pollfd){.fd = PQsocket(pg), .events = unsent > 0 ? POLLIN | POLLOUT : POLLIN};
  }
  return 0;
}

/* pg.wait(connections, seconds?) -> index of one that has an answer to what was launched on it, or nil when the time is
   over. Ctrl-C raises. */
static int pg_wait_any(lua_State *L) {
  PgConn *conns[WAITING];
  struct pollfd sockets[WAITING];
  int count, found;
  double deadline;
  luaL_checktype(L, 1, LUA_TTABLE);
  count = take_connections(L, conns);
  deadline = lua_isnoneornil(L, 2) ? HUGE_VAL : rt_clock() + luaL_checknumber(L, 2);
  while ((found = find_ready(conns, sockets, count)) == 0) {
    int ready = rt_poll(sockets, (nfds_t)count, deadline);
    if (ready < 0 && rt_interrupted()) return rt_raise_interrupted(L);
    if (ready == 0) break;
  }
  if (found == 0) lua_pushnil(L);
  else lua_pushinteger(L, found);
  return 1;
}

int luaopen_moontide_pg(lua_State *L) {
  static const luaL_Reg functions[] = {{"libpq_version", pg_libpq_version}, {"wait", pg_wait_any}, {NULL, NULL}};
  luaL_newlib(L, functions);
  pg_rows_open(L);
  pg_copy_open(L);
  pg_held_open(L);
  pg_array_open(L);
  pg_connect_open(L);
  return 1;
}
