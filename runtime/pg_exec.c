/* One statement at a time: exec, script, prepare. */

#include "pg.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

/* The text of a prepared statement is kept with the connection, for errors. [-0, +1] */
static void push_prepared_text(lua_State *L, int conn, const char *name) {
  lua_getiuservalue(L, conn, 1);
  lua_pushstring(L, name);
  lua_rawget(L, -2);
  lua_remove(L, -2);
}

const char *pg_check_string(lua_State *L, int index, lua_Integer number, const char *what) {
  size_t length;
  const char *text;
  if (lua_type(L, index) != LUA_TSTRING) pg_refuse(L, number, "%s is not a string", what);
  text = lua_tolstring(L, index, &length);
  if (memchr(text, '\0', length) != NULL) pg_refuse(L, number, "%s contains a NUL byte", what);
  return text;
}

static const char *skip_space(const char *sql) {
  for (;;) {
    while (isspace((unsigned char)*sql)) sql++;
    if (strncmp(sql, "--", 2) == 0)
      sql += strcspn(sql, "\n");
    else if (strncmp(sql, "/*", 2) == 0 && strstr(sql, "*/") != NULL)
      sql = strstr(sql, "*/") + 2;
    else
      return sql;
  }
}

/* COPY with the client. In the extended protocol the server would take what follows the statement for data, and a
   cancel that meets such a COPY leaves one answer too many. */
static bool is_copy(const char *sql) {
  sql = skip_space(sql);
  if (strncasecmp(sql, "copy", 4) != 0 || isalnum((unsigned char)sql[4]) || sql[4] == '_') return false;
  return strcasestr(sql, "stdin") != NULL || strcasestr(sql, "stdout") != NULL;
}

static void check_copy(lua_State *L, int text, lua_Integer number) {
  const char *sql = lua_tostring(L, text);
  if (sql == NULL || !is_copy(sql)) return;
  rt_pushfault(L, "operation", "COPY cannot move data through this call");
  rt_setfield_string(L, "hint", "Use copy_in or copy_out of the connection.");
  pg_set_statement(L, text, number);
  lua_error(L);
}

/* Text, or a table {sql = text} or {prepared = name}. The table keeps the name while libpq reads it. */
void pg_statement(lua_State *L, int conn, int index, lua_Integer number, PgStatement *statement) {
  statement->sql = statement->prepared = NULL;
  if (lua_type(L, index) == LUA_TTABLE) {
    lua_getfield(L, index, "prepared");
    if (!lua_isnil(L, -1)) {
      statement->prepared = pg_check_string(L, -1, number, "name of a prepared statement");
      lua_pop(L, 1);
      push_prepared_text(L, conn, statement->prepared);
    } else {
      lua_pop(L, 1);
      lua_getfield(L, index, "sql");
    }
  } else {
    lua_pushvalue(L, index);
  }
  statement->text = lua_gettop(L);
  if (statement->prepared == NULL) statement->sql = pg_check_string(L, -1, number, "statement");
  check_copy(L, statement->text, number);
}

void pg_send(lua_State *L, PgConn *conn, const PgStatement *statement, const PgParams *params,
             lua_Integer number) {
  int sent;
  conn->simple = false;
  if (statement->prepared != NULL)
    sent = PQsendQueryPrepared(conn->pg, statement->prepared, params->count, params->values,
                               params->lengths, params->formats, 0);
  else
    sent = PQsendQueryParams(conn->pg, statement->sql, params->count, params->types, params->values,
                             params->lengths, params->formats, 0);
  if (!sent) pg_raise_last(L, conn, statement->text, number);
}

void pg_send_simple(lua_State *L, PgConn *conn, const char *sql, int text) {
  conn->simple = true;
  if (!PQsendQuery(conn->pg, sql)) pg_raise_last(L, conn, text, 0);
}

/* Waits for the end of the statement just sent. The box with its result is left on the stack. [-0, +1] */
static PgBox *finish(lua_State *L, PgConn *conn, int text) {
  PgBox *box = pg_box(L);
  PgWait how = pg_read_all(conn, box);
  pg_check(L, conn, how, box, text, 0);
  return box;
}

/* The function to call while a statement runs, from {tick = function, every = seconds} at the index, or nil.
   Answers the seconds between calls. [-0, +1] */
static double check_tick(lua_State *L, int index) {
  double every = HUGE_VAL;
  if (lua_isnoneornil(L, index)) {
    lua_pushnil(L);
    return every;
  }
  lua_getfield(L, index, "every");
  if (!lua_isnil(L, -1)) {
    luaL_argcheck(L, lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) > 0, index, "every is not a positive number");
    every = lua_tonumber(L, -1);
  }
  lua_pop(L, 1);
  lua_getfield(L, index, "tick");
  luaL_argcheck(L, lua_isnil(L, -1) || lua_isfunction(L, -1), index, "tick is not a function");
  return lua_isnil(L, -1) ? HUGE_VAL : every;
}

/* Calls the function at the index. What it raises ends the statement on the server, too. [-0, +0] */
static void call_tick(lua_State *L, PgConn *conn, int tick) {
  lua_pushvalue(L, tick);
  if (lua_pcall(L, 0, 0, 0) == LUA_OK) return;
  pg_stop(conn);
  lua_error(L);
}

/* The same as finish, with a function that is called now and then until the statement ends. [-0, +1] */
static PgBox *finish_ticking(lua_State *L, PgConn *conn, int text, int tick, double every) {
  PgBox *box = pg_box(L);
  double end = conn->deadline;
  PgWait how;
  for (;;) {
    conn->deadline = fmin(rt_clock() + every, end);
    how = pg_read_all(conn, box);
    if (how != PG_TIMEOUT || rt_clock() > end) break;
    call_tick(L, conn, tick);
  }
  conn->deadline = end;
  pg_check(L, conn, how, box, text, 0);
  return box;
}

/* conn:exec(statement, params?, {timeout = seconds, tick = function, every = seconds}?) -> result */
static int conn_exec(lua_State *L) {
  PgConn *conn = pg_ready(L, 1);
  PgStatement statement;
  PgParams *params;
  double every;
  lua_settop(L, 4);
  pg_params(L);
  params = pg_fill_params(L, 5, 3, 0);
  every = check_tick(L, 4);
  pg_statement(L, 1, 2, 0, &statement);
  conn->deadline = pg_deadline(L, 4);
  pg_send(L, conn, &statement, params, 0);
  pg_push_result(L, conn, finish_ticking(L, conn, statement.text, 6, every), true);
  return 1;
}

/* conn:script(sql) -> result of the last statement */
static int conn_script(lua_State *L) {
  PgConn *conn = pg_ready(L, 1);
  const char *sql = pg_check_string(L, 2, 0, "statement");
  pg_send_simple(L, conn, sql, 2);
  pg_push_result(L, conn, finish(L, conn, 2), true);
  return 1;
}

/* conn:prepare(name, sql) */
static int conn_prepare(lua_State *L) {
  PgConn *conn = pg_ready(L, 1);
  const char *name = pg_check_string(L, 2, 0, "name of a prepared statement");
  const char *sql = pg_check_string(L, 3, 0, "statement");
  if (!PQsendPrepare(conn->pg, name, sql, 0, NULL)) pg_raise_last(L, conn, 3, 0);
  pg_unbox(finish(L, conn, 3));
  lua_getiuservalue(L, 1, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, -3);
  return 0;
}

const luaL_Reg pg_exec_methods[] = {
    {"exec", conn_exec}, {"prepare", conn_prepare}, {"script", conn_script}, {NULL, NULL}};
