/* COPY: the userdata of one copy in progress, and moving its data. What rows look like on the way is in pg_encode.c. */

#include "pg_copy.h"

#include <stdlib.h>
#include <string.h>

static const char *const COPY = "moontide.pg.copy";

/* User values: the connection, the statement's text. */
enum { PARENT = 1, TEXT = 2 };

enum { PIECE = 64 * 1024 };

/* The copy is over, well or not: the connection is free again. */
static PgConn *detach(PgCopy *copy) {
  PgConn *conn = copy->conn;
  char *chunk = copy->chunk;
  if (conn != NULL && conn->child == copy) conn->child = NULL;
  copy->conn = NULL;
  copy->chunk = NULL;
  PQfreemem(chunk);
  return conn;
}

/* __gc, __close: a copy in that is not finished is aborted */
static int copy_close(lua_State *L) {
  PgCopy *copy = luaL_checkudata(L, 1, COPY);
  bool mine = copy->conn != NULL && copy->conn->child == copy;
  PgConn *conn = detach(copy);
  if (!mine || conn->pg == NULL) return 0;
  if (copy->in)
    pg_settle(conn);
  else
    pg_leave(conn, copy->in_transaction);
  return 0;
}

static PgCopy *check_copy(lua_State *L, bool in) {
  PgCopy *copy = luaL_checkudata(L, 1, COPY);
  luaL_argcheck(L, copy->in == in, 1, in ? "not a copy to the server" : "not a copy from the server");
  if (copy->conn == NULL) rt_raise(L, "operation", "copy is finished");
  if (copy->conn->child != copy) rt_raise(L, "connection", "connection is closed");
  return copy;
}

PgCopy *pg_copy_in(lua_State *L) {
  PgCopy *copy = check_copy(L, true);
  if (copy->broken) rt_raise(L, "operation", "copy was left in the middle of a row");
  return copy;
}

/* The end of a copy, of its own accord or because it broke: raises what the server says about it, if it is an error.
   The box with the result is left on the stack. [-0, +2] */
static PgBox *end_copy(lua_State *L, PgCopy *copy, PgWait how) {
  PgConn *conn = detach(copy);
  PgBox *box;
  lua_getiuservalue(L, 1, TEXT);
  box = pg_box(L);
  if (how == PG_READY) how = pg_read_all(conn, box);
  pg_check(L, conn, how, box, lua_gettop(L) - 1, 0);
  return box;
}

/* --- to the server --- */

/* Ends the data; `problem` makes the server refuse all of it. */
static PgWait put_end(PgCopy *copy, const char *problem) {
  PgWait how = PG_READY;
  while (how == PG_READY && PQputCopyEnd(copy->conn->pg, problem) == 0)
    how = pg_wait_sent(copy->conn);
  return how;
}

/* Not more than one piece is ever waiting in libpq. */
static void put(lua_State *L, PgCopy *copy, const char *data, size_t length) {
  while (length > 0) {
    int piece = length < PIECE ? (int)length : PIECE;
    int sent = PQputCopyData(copy->conn->pg, data, piece);
    PgWait how = pg_wait_sent(copy->conn);
    if (sent < 0 || how != PG_READY || PQstatus(copy->conn->pg) == CONNECTION_BAD) {
      if (how == PG_READY) put_end(copy, "could not send the data");
      end_copy(L, copy, how);
      rt_raise(L, "connection", "could not send the data of a copy");
    }
    if (sent == 0) continue;
    data += piece;
    length -= (size_t)piece;
  }
}

static void flush(lua_State *L, PgCopy *copy) {
  size_t used = copy->used;
  copy->used = 0;
  put(L, copy, copy->scratch, used);
}

void pg_copy_add(lua_State *L, PgCopy *copy, const char *data, size_t length) {
  copy->bytes += (lua_Integer)length;
  if (length > sizeof copy->scratch - copy->used) flush(L, copy);
  if (length > sizeof copy->scratch) {
    put(L, copy, data, length);
    return;
  }
  memcpy(copy->scratch + copy->used, data, length);
  copy->used += length;
}

/* copy:write(data) */
static int copy_write(lua_State *L) {
  PgCopy *copy = pg_copy_in(L);
  size_t length;
  const char *data = luaL_checklstring(L, 2, &length);
  pg_copy_add(L, copy, data, length);
  return 0;
}

/* copy:bytes() -> of the data that it was given so far, in the form in which it travels; also when it is over */
static int copy_bytes(lua_State *L) {
  const PgCopy *copy = luaL_checkudata(L, 1, COPY);
  lua_pushinteger(L, copy->bytes);
  return 1;
}

/* copy:finish() -> number of rows */
static int copy_finish(lua_State *L) {
  PgCopy *copy = pg_copy_in(L);
  PgBox *box;
  flush(L, copy);
  box = end_copy(L, copy, put_end(copy, NULL));
  lua_pushinteger(L, strtoll(PQcmdTuples(box->result), NULL, 10));
  pg_unbox(box);
  return 1;
}

/* copy:abort(message?): the server forgets the rows, and fails the transaction if there is one */
static int copy_abort(lua_State *L) {
  PgCopy *copy = check_copy(L, true);
  const char *problem = luaL_optstring(L, 2, "aborted");
  PgWait how = put_end(copy, problem);
  PgConn *conn = detach(copy);
  if (how != PG_READY) return pg_raise_wait(L, conn, how, 0, 0);
  if (!pg_settle(conn)) return rt_raise(L, "connection", "connection was lost");
  return 0;
}

/* --- from the server --- */

static PgWait receive(PgConn *conn) {
  PgWait how = pg_wait(conn, POLLIN);
  if (how == PG_READY) PQconsumeInput(conn->pg);
  return how;
}

/* copy:read() -> one line of the copy, or nil at its end */
static int copy_read(lua_State *L) {
  PgCopy *copy = check_copy(L, false);
  PgConn *conn = copy->conn;
  PgWait how = PG_READY;
  int length;
  while ((length = PQgetCopyData(conn->pg, &copy->chunk, 1)) == 0) {
    how = receive(conn);
    if (how != PG_READY || PQstatus(conn->pg) == CONNECTION_BAD) break;
  }
  if (length <= 0) {
    pg_unbox(end_copy(L, copy, how));
    return 0;
  }
  lua_pushlstring(L, copy->chunk, (size_t)length);
  PQfreemem(copy->chunk);
  copy->chunk = NULL;
  return 1;
}

/* --- beginning --- */

/* A copy that has not begun. [-0, +1] */
static PgCopy *push_copy(lua_State *L, bool in) {
  PgCopy *copy = lua_newuserdatauv(L, in ? sizeof *copy : offsetof(PgCopy, scratch), 2);
  memset(copy, 0, offsetof(PgCopy, scratch));
  copy->in = in;
  luaL_setmetatable(L, COPY);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, PARENT);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, TEXT);
  return copy;
}

static int begin(lua_State *L, bool in) {
  PgConn *conn = pg_ready(L, 1);
  const char *sql = pg_check_string(L, 2, 0, "statement");
  PgCopy *copy = push_copy(L, in);
  PgBox *box = pg_box(L);
  PgWait how;
  copy->in_transaction = PQtransactionStatus(conn->pg) == PQTRANS_INTRANS;
  pg_send_simple(L, conn, sql, 2);
  how = pg_read_all(conn, box);
  if (how != PG_READY || PQresultStatus(box->result) != (in ? PGRES_COPY_IN : PGRES_COPY_OUT)) {
    pg_check(L, conn, how, box, 2, 0);
    return rt_raise(L, "operation", "statement is not a copy %s the client", in ? "from" : "to");
  }
  pg_unbox(box);
  copy->conn = conn;
  conn->child = copy;
  lua_pop(L, 1);
  return 1;
}

/* conn:copy_in(sql) -> copy */
static int conn_copy_in(lua_State *L) {
  return begin(L, true);
}

/* conn:copy_out(sql) -> copy */
static int conn_copy_out(lua_State *L) {
  return begin(L, false);
}

const luaL_Reg pg_copy_methods[] = {
    {"copy_in", conn_copy_in}, {"copy_out", conn_copy_out}, {NULL, NULL}};

void pg_copy_open(lua_State *L) {
  static const luaL_Reg events[] = {{"__close", copy_close}, {"__gc", copy_close}, {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"abort", copy_abort}, {"bytes", copy_bytes}, {"close", copy_close}, {"finish", copy_finish},
      {"read", copy_read},   {"rows", pg_copy_rows}, {"write", copy_write}, {NULL, NULL}};
  luaL_newmetatable(L, COPY);
  luaL_setfuncs(L, events, 0);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
