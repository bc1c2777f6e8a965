/* Waiting for the server. Every wait of the binding ends in pg_wait, which knows the deadline of the operation in
   progress and the first Ctrl-C; nothing here raises or touches Lua's stack, except pg_deadline, which reads an
   option. */

#include "pg.h"

#include <math.h>

PgWait pg_wait(const PgConn *conn, short events) {
  struct pollfd socket = {.fd = PQsocket(conn->pg), .events = events};
  int ready;
  if (socket.fd < 0) return PG_READY;
  if (rt_clock() > conn->deadline) return PG_TIMEOUT; /* a socket that is always ready must not outlast it */
  ready = rt_poll(&socket, 1, conn->deadline);
  if (ready == 0) return PG_TIMEOUT;
  return ready < 0 && rt_interrupted() ? PG_INTERRUPTED : PG_READY;
}

/* Waits until there is something to read, or to write if something is `unsent`, and reads it. Reading while unsent
   data waits is what keeps both sides from waiting for each other with full socket buffers. */
static PgWait transfer(PgConn *conn, bool unsent) {
  PgWait how = pg_wait(conn, unsent ? POLLIN | POLLOUT : POLLIN);
  if (how == PG_READY) PQconsumeInput(conn->pg); /* a failure shows as CONNECTION_BAD */
  return how;
}

PgWait pg_wait_result(PgConn *conn) {
  PgWait how = PG_READY;
  while (how == PG_READY) {
    int unsent = PQflush(conn->pg);
    if (PQstatus(conn->pg) == CONNECTION_BAD || !PQisBusy(conn->pg)) break;
    how = transfer(conn, unsent > 0);
  }
  return how;
}

PgWait pg_wait_sent(PgConn *conn) {
  PgWait how = PG_READY;
  while (how == PG_READY && PQstatus(conn->pg) == CONNECTION_OK && PQflush(conn->pg) > 0)
    how = transfer(conn, true);
  return how;
}

static bool is_copy(const PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* After an error more may follow ("terminating connection", then "connection closed"): the first one says it best. A
   COPY has no end before its data: its result is the last one here. */
PgWait pg_read_all(PgConn *conn, PgBox *box) {
  for (;;) {
    PgWait how = pg_wait_result(conn);
    PGresult *next = how == PG_READY ? PQgetResult(conn->pg) : NULL;
    bool copy = is_copy(next);
    if (next == NULL) return how;
    if (pg_is_error(box->result)) {
      PQclear(next);
    } else {
      pg_unbox(box);
      box->result = next;
    }
    if (copy) return PG_READY;
  }
}

double pg_deadline(lua_State *L, int index) {
  double seconds = HUGE_VAL;
  if (lua_isnoneornil(L, index)) return HUGE_VAL;
  luaL_checktype(L, index, LUA_TTABLE);
  lua_getfield(L, index, "timeout");
  if (!lua_isnil(L, -1)) {
    luaL_argcheck(L, lua_type(L, -1) == LUA_TNUMBER, index, "timeout is not a number");
    seconds = lua_tonumber(L, -1);
  }
  lua_pop(L, 1);
  return rt_clock() + seconds;
}
