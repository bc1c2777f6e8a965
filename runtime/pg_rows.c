/* conn:rows: the rows of one statement, one at a time, in constant memory (libpq's single-row mode). */

#include "pg.h"

static const char *const ROWS = "moontide.pg.rows";

/* User values of the userdata: the connection, the statement's text, the names of the columns. */
enum { PARENT = 1, TEXT = 2, COLUMNS = 3 };

typedef struct Rows {
  PgConn *conn;         /* NULL when finished */
  bool in_transaction;  /* when it began */
} Rows;

/* Past the last row, or an error. */
static void detach(Rows *rows) {
  if (rows->conn != NULL && rows->conn->child == rows) rows->conn->child = NULL;
  rows->conn = NULL;
}

/* close, __gc and __close */
static int rows_close(lua_State *L) {
  Rows *rows = luaL_checkudata(L, 1, ROWS);
  PgConn *conn = rows->conn;
  bool mine = conn != NULL && conn->child == rows;
  detach(rows);
  if (mine) pg_leave(conn, rows->in_transaction);
  return 0;
}

/* The row in the box as a table. The columns are made with the first one. [-0, +1] */
static int push_row(lua_State *L, PgBox *box) {
  if (lua_getiuservalue(L, 1, COLUMNS) == LUA_TNIL) {
    lua_pop(L, 1);
    pg_push_columns(L, box->result);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, 1, COLUMNS);
  }
  pg_push_row(L, box->result, 0, lua_gettop(L), 0);
  pg_unbox(box);
  return 1;
}

static int finish(lua_State *L, Rows *rows, PgWait how, PgBox *box) {
  PgConn *conn = rows->conn;
  detach(rows);
  if (how == PG_READY) how = pg_read_all(conn, box);
  lua_getiuservalue(L, 1, TEXT);
  pg_check(L, conn, how, box, lua_gettop(L), 0);
  return 0;
}

/* The iterator: its upvalue is the userdata. */
static int rows_next(lua_State *L) {
  Rows *rows = lua_touserdata(L, lua_upvalueindex(1));
  PgBox *box;
  PgWait how;
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  if (rows->conn == NULL) return 0;
  if (rows->conn->child != rows) return rt_raise(L, "connection", "connection is closed");
  box = lua_touserdata(L, lua_upvalueindex(2));
  how = pg_wait_result(rows->conn);
  if (how == PG_READY) box->result = PQgetResult(rows->conn->pg);
  if (how == PG_READY && PQresultStatus(box->result) == PGRES_SINGLE_TUPLE) return push_row(L, box);
  return finish(L, rows, how, box);
}

/* [-0, +1] */
static Rows *push_rows(lua_State *L) {
  Rows *rows = lua_newuserdatauv(L, sizeof *rows, 3);
  rows->conn = NULL;
  rows->in_transaction = false;
  luaL_setmetatable(L, ROWS);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, PARENT);
  return rows;
}

/* conn:rows(statement, params?) -> iterator, nil, nil, what closes it */
static int conn_rows(lua_State *L) {
  PgConn *conn = pg_ready(L, 1);
  PgStatement statement;
  PgParams *params;
  Rows *rows;
  lua_settop(L, 3);
  pg_params(L);
  params = pg_fill_params(L, 4, 3, 0);
  pg_statement(L, 1, 2, 0, &statement);
  rows = push_rows(L);
  lua_pushvalue(L, statement.text);
  lua_setiuservalue(L, -2, TEXT);
  lua_pushvalue(L, -1);
  pg_box(L);
  lua_pushcclosure(L, rows_next, 2);
  lua_insert(L, -2);
  rows->in_transaction = PQtransactionStatus(conn->pg) == PQTRANS_INTRANS;
  pg_send(L, conn, &statement, params, 0);
  rows->conn = conn;
  conn->child = rows;
  PQsetSingleRowMode(conn->pg);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_rotate(L, -3, 2);
  return 4;
}

const luaL_Reg pg_rows_methods[] = {{"rows", conn_rows}, {NULL, NULL}};

void pg_rows_open(lua_State *L) {
  static const luaL_Reg events[] = {
      {"__close", rows_close}, {"__gc", rows_close}, {NULL, NULL}};
  luaL_newmetatable(L, ROWS);
  luaL_setfuncs(L, events, 0);
  lua_newtable(L);
  lua_pushcfunction(L, rows_close);
  lua_setfield(L, -2, "close");
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
