/* Connections: opening, facts about them, closing. */

#include "pg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const CONN = "moontide.pg.connection", *const OPTIONS = "moontide.pg.options";

void pg_close(PgConn *conn) {
  PGconn *pg = conn->pg;
  pg_delist(conn);
  conn->pg = NULL;
  conn->child = NULL;
  PQfinish(pg);
}

/* close, __gc and __close */
static int conn_close(lua_State *L) {
  PgConn *conn = luaL_checkudata(L, 1, CONN);
  pg_close(conn);
  return 0;
}

static int conn_gc(lua_State *L) {
  PgConn *conn = luaL_checkudata(L, 1, CONN);
  pg_close(conn);
  pg_drop_notices(conn);
  return 0;
}

PgConn *pg_conn(lua_State *L, int index) {
  PgConn *conn = luaL_checkudata(L, index, CONN);
  if (conn->pg == NULL) rt_raise(L, "connection", "connection is closed");
  conn->deadline = HUGE_VAL;
  return conn;
}

/* An error of Lua's own (out of memory, say) can have left a result half read: that is cleared away here. */
PgConn *pg_ready(lua_State *L, int index) {
  PgConn *conn = pg_conn(L, index);
  if (conn->child != NULL)
    rt_raise(L, "operation", "connection is in use by rows or a copy that is not finished");
  if (PQstatus(conn->pg) == CONNECTION_BAD) pg_close(conn);
  if (!pg_stop(conn)) rt_raise(L, "connection", "connection was lost");
  conn->deadline = HUGE_VAL;
  return conn;
}

/* --- connection strings --- */

/* Puts *** for what libpq quotes from a connection string it does not understand: it can be the password, or hold it.
   A single quoted character is a separator and stays. */
static void mask(char *problem) {
  char *open = strchr(problem, '"'), *last = strrchr(problem, '"');
  while (open != NULL && open[1] != '\0' && open[2] == '"') open = strchr(open + 3, '"');
  if (open == NULL || last - open < 4) {
    if (open != NULL) *open = '\0';
    return;
  }
  memcpy(open + 1, "***", 3);
  memmove(open + 4, last, strlen(last) + 1);
}

static int raise_malformed(lua_State *L, char *problem) {
  mask(problem);
  rt_pushfault(L, "config", "connection string is malformed");
  problem[strcspn(problem, "\n")] = '\0';
  rt_setfield_string(L, "detail", problem);
  return lua_error(L);
}

static bool is_conninfo(const char *text) {
  return strchr(text, '=') != NULL || strncmp(text, "postgresql://", 13) == 0 ||
         strncmp(text, "postgres://", 11) == 0;
}

/* The options are in a box on the stack. [-0, +1] */
static PQconninfoOption **push_options(lua_State *L) {
  PQconninfoOption **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  luaL_setmetatable(L, OPTIONS);
  return box;
}

static int options_gc(lua_State *L) {
  PQconninfoOption **box = luaL_checkudata(L, 1, OPTIONS);
  PQconninfoOption *options = *box;
  *box = NULL;
  PQconninfoFree(options);
  return 0;
}

/* [-0, +1] */
static const PQconninfoOption *parse(lua_State *L, const char *conninfo) {
  PQconninfoOption **box = push_options(L);
  char *message = NULL, problem[512];
  *box = PQconninfoParse(conninfo, &message);
  if (*box != NULL) return *box;
  snprintf(problem, sizeof problem, "%s", message != NULL ? message : "out of memory");
  PQfreemem(message);
  raise_malformed(L, problem);
  return NULL;
}

/* pg.parse(conninfo) -> {keyword = value} */
static int pg_parse(lua_State *L) {
  const PQconninfoOption *option = parse(L, pg_check_string(L, 1, 0, "connection string"));
  lua_newtable(L);
  for (; option->keyword != NULL; option++) rt_setfield_string(L, option->keyword, option->val);
  return 1;
}

/* pg.keywords() -> {keyword = true} */
static int pg_keywords(lua_State *L) {
  PQconninfoOption **box = push_options(L);
  *box = PQconndefaults();
  if (*box == NULL) return luaL_error(L, "not enough memory");
  lua_newtable(L);
  for (const PQconninfoOption *option = *box; option->keyword != NULL; option++) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, option->keyword);
  }
  return 1;
}

/* --- connecting --- */

/* The sqlstate of a refused connection is only in libpq's verbose message, as "FATAL: 28P01: password ...", followed
   by a line with the place in the server's source. Takes both out; the last code found is copied to `sqlstate`. */
static void take_sqlstate(char *message, char sqlstate[6]) {
  char *at, *line;
  for (at = message; (at = strstr(at, ":  ")) != NULL; at += 3) {
    if (strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 5 || at[8] != ':') continue;
    memcpy(sqlstate, at + 3, 5);
    memmove(at + 3, at + 10, strlen(at + 10) + 1);
  }
  while ((at = strstr(message, "\nLOCATION:  ")) != NULL) {
    line = at + 1 + strcspn(at + 1, "\n");
    memmove(at, line, strlen(line) + 1);
  }
}

static int raise_refused(lua_State *L, PgConn *conn) {
  char message[4096], sqlstate[6] = "";
  snprintf(message, sizeof message, "%s", PQerrorMessage(conn->pg));
  pg_close(conn);
  if (strncmp(message, "invalid ", 8) == 0) return raise_malformed(L, message);
  take_sqlstate(message, sqlstate);
  rt_pushfault(L, "connection", "");
  pg_set_message(L, message);
  if (*sqlstate != '\0') rt_setfield_string(L, "sqlstate", sqlstate);
  return lua_error(L);
}

static int raise_given_up(lua_State *L, PgConn *conn, PgWait how) {
  char host[256];
  snprintf(host, sizeof host, "%s", PQhost(conn->pg) != NULL ? PQhost(conn->pg) : "");
  pg_close(conn);
  if (how == PG_INTERRUPTED) return rt_raise_interrupted(L);
  rt_pushfault(L, "timeout", "server at \"%s\" did not answer in time", host);
  rt_setfield_string(L, "host", host);
  return lua_error(L);
}

/* Goes on as far as it can without waiting: on a Unix socket the server has our first message after this. */
static void push_on(PgConn *conn) {
  struct pollfd socket = {.fd = PQsocket(conn->pg), .events = POLLOUT};
  while (conn->next == PGRES_POLLING_WRITING && poll(&socket, 1, 0) > 0) conn->next = PQconnectPoll(conn->pg);
}

static void wait_connected(lua_State *L, PgConn *conn) {
  if (PQstatus(conn->pg) == CONNECTION_BAD) raise_refused(L, conn);
  while (conn->next != PGRES_POLLING_OK) {
    PgWait how = pg_wait(conn, conn->next == PGRES_POLLING_READING ? POLLIN : POLLOUT);
    if (how != PG_READY) raise_given_up(L, conn, how);
    conn->next = PQconnectPoll(conn->pg);
    if (conn->next == PGRES_POLLING_FAILED) raise_refused(L, conn);
  }
}

/* libpq obeys connect_timeout only when it waits itself. */
static double connect_timeout(PGconn *pg) {
  PQconninfoOption *options = PQconninfo(pg);
  double seconds = 0;
  for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
    if (strcmp(option->keyword, "connect_timeout") == 0 && option->val != NULL)
      seconds = strtod(option->val, NULL);
  PQconninfoFree(options);
  return seconds > 0 ? rt_clock() + seconds : HUGE_VAL;
}

/* Keywords and values, each list ending with NULL. The strings belong to what is below on the stack. */
typedef struct Settings {
  int count, room;
  const char **keywords, **values;
} Settings;

static void set(Settings *settings, const char *keyword, const char *value) {
  if (value == NULL) return;
  settings->keywords[settings->count] = keyword;
  settings->values[settings->count++] = value;
  settings->keywords[settings->count] = settings->values[settings->count] = NULL;
}

static int count_entries(lua_State *L, int index) {
  int count = 0;
  if (lua_istable(L, index))
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) count++;
  return count;
}

static void set_defaults(lua_State *L, int index, Settings *settings) {
  if (!lua_istable(L, index)) return;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      rt_raise(L, "usage", "a default of a connection is not a string");
    set(settings, lua_tostring(L, -2), lua_tostring(L, -1));
  }
}

/* The defaults at `index`, then what `conninfo` says: of two equal keywords libpq takes the last. Text that is no
   connection string is the name of a database, as for psql. Leaves what holds the strings on the stack. [-0, +2] */
static void push_settings(lua_State *L, int index, const char *conninfo, Settings *settings) {
  const PQconninfoOption *option = parse(L, is_conninfo(conninfo) ? conninfo : "");
  settings->count = 0;
  settings->room = count_entries(L, index) + 2;
  for (int i = 0; option[i].keyword != NULL; i++) settings->room++;
  settings->keywords = lua_newuserdatauv(L, 2 * (size_t)settings->room * sizeof(char *), 0);
  settings->values = settings->keywords + settings->room;
  settings->keywords[0] = settings->values[0] = NULL;
  set_defaults(L, index, settings);
  for (; option->keyword != NULL; option++) set(settings, option->keyword, option->val);
  if (!is_conninfo(conninfo) && *conninfo != '\0') set(settings, "dbname", conninfo);
}

static PgConn *push_conn(lua_State *L) {
  PgConn *conn = lua_newuserdatauv(L, sizeof *conn, 1);
  memset(conn, 0, sizeof *conn);
  conn->deadline = HUGE_VAL;
  luaL_setmetatable(L, CONN);
  lua_newtable(L); /* texts of prepared statements by name */
  lua_setiuservalue(L, -2, 1);
  return conn;
}

static void start_connect(lua_State *L, PgConn *conn, const Settings *settings) {
  conn->pg = PQconnectStartParams(settings->keywords, settings->values, 0);
  if (conn->pg == NULL) luaL_error(L, "not enough memory");
  PQsetNoticeReceiver(conn->pg, pg_notice_receive, conn);
  PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
  conn->next = PGRES_POLLING_WRITING;
  if (PQstatus(conn->pg) != CONNECTION_BAD) push_on(conn);
}

/* Takes (conninfo, options?); leaves the options at 2 and the connection that was begun at 3. */
static PgConn *begin_connect(lua_State *L) {
  const char *conninfo = pg_check_string(L, 1, 0, "connection string");
  PgConn *conn;
  Settings settings;
  lua_settop(L, 2);
  pg_deadline(L, 2); /* refuses what is no timeout */
  conn = push_conn(L);
  lua_pushnil(L);
  if (lua_istable(L, 2)) lua_getfield(L, 2, "defaults");
  push_settings(L, lua_gettop(L), conninfo, &settings);
  start_connect(L, conn, &settings);
  lua_settop(L, 3);
  return conn;
}

static void finish_connect(lua_State *L, PgConn *conn, int options) {
  if (conn->pg == NULL) rt_raise(L, "connection", "connection is closed");
  conn->deadline = pg_deadline(L, options);
  if (conn->deadline == HUGE_VAL) conn->deadline = connect_timeout(conn->pg);
  wait_connected(L, conn);
  PQsetErrorVerbosity(conn->pg, PQERRORS_DEFAULT);
  if (PQsetnonblocking(conn->pg, 1) != 0) raise_refused(L, conn);
  pg_enlist(conn);
}

/* pg.connect(conninfo, {timeout = seconds, defaults = {keyword = value}}?) -> connection */
static int pg_connect(lua_State *L) {
  finish_connect(L, begin_connect(L), 2);
  return 1;
}

/* finish() -> connection; upvalues: the connection that was begun, its options */
static int pg_finish(lua_State *L) {
  finish_connect(L, luaL_checkudata(L, lua_upvalueindex(1), CONN), lua_upvalueindex(2));
  lua_pushvalue(L, lua_upvalueindex(1));
  return 1;
}

/* pg.start(conninfo, options?) -> finish. Only finish waits, so there is time to do something else before it; until then
   nobody has the connection. */
static int pg_start(lua_State *L) {
  begin_connect(L);
  lua_insert(L, 2);
  lua_pushcclosure(L, pg_finish, 2);
  return 1;
}

/* --- facts --- */

static int conn_status(lua_State *L) {
  PgConn *conn = luaL_checkudata(L, 1, CONN);
  const char *status = "closed"; /* also for a lost connection */
  switch (PQtransactionStatus(conn->pg)) {
  case PQTRANS_IDLE: status = "idle"; break;
  case PQTRANS_ACTIVE: status = "active"; break;
  case PQTRANS_INTRANS: status = "transaction"; break;
  case PQTRANS_INERROR: status = "error"; break;
  case PQTRANS_UNKNOWN: break;
  }
  lua_pushstring(L, status);
  return 1;
}

static int conn_server_version(lua_State *L) {
  lua_pushinteger(L, PQserverVersion(pg_conn(L, 1)->pg));
  return 1;
}

static int conn_parameter(lua_State *L) {
  lua_pushstring(L, PQparameterStatus(pg_conn(L, 1)->pg, luaL_checkstring(L, 2)));
  return 1;
}

static int conn_pid(lua_State *L) {
  lua_pushinteger(L, PQbackendPID(pg_conn(L, 1)->pg));
  return 1;
}

static int conn_host(lua_State *L) {
  lua_pushstring(L, PQhost(pg_conn(L, 1)->pg));
  return 1;
}

static int conn_tls(lua_State *L) {
  lua_pushboolean(L, PQsslInUse(pg_conn(L, 1)->pg));
  return 1;
}

static int conn_notices(lua_State *L) {
  if (!pg_push_notices(L, luaL_checkudata(L, 1, CONN))) lua_newtable(L);
  return 1;
}

/* conn:cancel() -> whether the server got the request */
static int conn_cancel(lua_State *L) {
  lua_pushboolean(L, pg_cancel(pg_conn(L, 1)));
  return 1;
}

static const luaL_Reg conn_methods[] = {{"cancel", conn_cancel},
                                        {"close", conn_close},
                                        {"host", conn_host},
                                        {"notices", conn_notices},
                                        {"parameter", conn_parameter},
                                        {"pid", conn_pid},
                                        {"server_version", conn_server_version},
                                        {"status", conn_status},
                                        {"tls", conn_tls},
                                        {NULL, NULL}};

static const luaL_Reg conn_events[] = {{"__close", conn_close}, {"__gc", conn_gc}, {NULL, NULL}};

void pg_connect_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"connect", pg_connect}, {"keywords", pg_keywords}, {"parse", pg_parse}, {"start", pg_start}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  luaL_newmetatable(L, OPTIONS);
  lua_pushcfunction(L, options_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newmetatable(L, CONN);
  luaL_setfuncs(L, conn_events, 0);
  lua_newtable(L);
  luaL_setfuncs(L, conn_methods, 0);
  luaL_setfuncs(L, pg_exec_methods, 0);
  luaL_setfuncs(L, pg_pipeline_methods, 0);
  luaL_setfuncs(L, pg_rows_methods, 0);
  luaL_setfuncs(L, pg_copy_methods, 0);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 2);
}
