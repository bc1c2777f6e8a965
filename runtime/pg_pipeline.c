/* conn:pipeline: many statements, one sync at the end.

   The statements are sent while the answers are read (pg_wait_result does both), so any number of them gets through
   full socket buffers. Every so many statements the server is asked to send what it has, and not more than two such
   batches are on their way: that bounds what libpq keeps of the statements, and what the server keeps of the answers.
   A short list needs neither and costs one round trip. */

#include "pg.h"

#include <string.h>

enum { BATCH_STATEMENTS = 500, BATCH_BYTES = 512 * 1024, FLUSH_BYTES = 32 * 1024 };

/* Stack indexes in conn_pipeline. */
enum { CONN = 1, LIST = 2, OPTIONS = 3, BOX = 4, PARAMS = 5, RESULTS = 6 };

typedef struct Pipeline {
  PgConn *conn;
  PgBox *box;
  lua_Integer count, sent, done; /* statements */
  lua_Integer batch;             /* the last statement that the server was asked to answer */
  size_t bytes, unflushed;       /* since then; since the last flush */
  bool started;                  /* the statement `done + 1` is being read */
  bool launched;                 /* nobody waits here: answers are read by `land` */
} Pipeline;

/* Statement `i` of the list with its text and parameters in place. [-0, +2] the entry and the text */
static PgParams *prepare_entry(lua_State *L, lua_Integer i, PgStatement *statement) {
  PgParams *params;
  if (lua_rawgeti(L, LIST, i) != LUA_TTABLE) pg_refuse(L, i, "statement is not a table");
  lua_getfield(L, -1, "params");
  params = pg_fill_params(L, PARAMS, lua_gettop(L), i);
  lua_pop(L, 1); /* the entry keeps it */
  pg_statement(L, CONN, lua_gettop(L), i, statement);
  return params;
}

/* Everything that can be refused is refused before anything is sent. */
static void check_list(lua_State *L, lua_Integer count) {
  for (lua_Integer i = 1; i <= count; i++) {
    PgStatement statement;
    prepare_entry(L, i, &statement);
    lua_pop(L, 2);
  }
}

/* --- errors --- */

static int push_text(lua_State *L, const Pipeline *p, lua_Integer i) {
  PgStatement statement;
  if (i > p->count) return 0;
  lua_rawgeti(L, LIST, i);
  pg_statement(L, CONN, lua_gettop(L), i, &statement);
  return statement.text;
}

/* Counts the statements that are done, up to the one that is not. False when the deadline came before. */
static bool count_done(void *argument) {
  Pipeline *p = argument;
  while (p->done < p->sent) {
    PGresult *next;
    bool failed;
    if (pg_wait_result(p->conn) != PG_READY) return false;
    next = PQgetResult(p->conn->pg);
    failed = pg_is_error(next);
    if (next == NULL) p->done++;
    PQclear(next);
    if (failed) break;
  }
  return true;
}

/* Cancels, and finds out which statement that hit: what was done before, the server may not have told yet. */
static void stop(Pipeline *p) {
  if (pg_abandon(p->conn)) pg_cancel_until(p->conn, count_done, p);
  pg_settle(p->conn);
}

/* Raises the error of statement `done + 1` once the pipeline is read to its end: `how` or what is in the box. One more
   than there are says that all were done before a cancel request, or the end of the connection. */
static int fail(lua_State *L, Pipeline *p, PgWait how) {
  lua_Integer number;
  int text;
  if (how == PG_INTERRUPTED) rt_interrupt_clear();
  if (how != PG_READY)
    stop(p);
  else if (PQstatus(p->conn->pg) == CONNECTION_OK)
    pg_settle(p->conn);
  number = p->done + 1;
  text = push_text(L, p, number);
  pg_check(L, p->conn, how, p->box, text, number);
  return pg_raise_last(L, p->conn, text, number);
}

/* --- reading --- */

static bool is_set(lua_State *L, lua_Integer i, const char *field) {
  bool set;
  lua_rawgeti(L, LIST, i);
  lua_getfield(L, -1, field);
  set = lua_toboolean(L, -1);
  lua_pop(L, 2);
  return set;
}

/* Rows that nobody wants are taken from libpq one by one, so that they never pile up. This must be said before the
   first of them is read. */
static void start_entry(lua_State *L, Pipeline *p) {
  if (p->started || p->done >= p->sent) return;
  if (!is_set(L, p->done + 1, "rows")) PQsetSingleRowMode(p->conn->pg);
  p->started = true;
}

static bool wants_held(lua_State *L, lua_Integer i) {
  bool held;
  lua_rawgeti(L, LIST, i);
  lua_getfield(L, -1, "rows");
  held = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "held") == 0;
  lua_pop(L, 2);
  return held;
}

static void store_result(lua_State *L, Pipeline *p) {
  lua_Integer number = p->done + 1;
  if (wants_held(L, number)) pg_push_held(L, p->box);
  else pg_push_result(L, p->conn, p->box, is_set(L, number, "rows"));
  lua_rawseti(L, RESULTS, number);
}

/* Takes one answer of libpq: a result, or the NULL behind the last result of a statement. */
static void take(lua_State *L, Pipeline *p) {
  PGresult *next = PQgetResult(p->conn->pg);
  if (next == NULL) {
    if (p->box->result == NULL) fail(L, p, PG_READY);
    store_result(L, p);
    p->done++;
    p->started = false;
    return;
  }
  pg_unbox(p->box);
  p->box->result = next;
  switch (PQresultStatus(next)) {
  case PGRES_COMMAND_OK:
  case PGRES_TUPLES_OK:
  case PGRES_SINGLE_TUPLE:
  case PGRES_EMPTY_QUERY: break;
  default: fail(L, p, PG_READY);
  }
}

/* Reads until `done` statements are answered. */
static void read_until(lua_State *L, Pipeline *p, lua_Integer done) {
  while (p->done < done) {
    PgWait how;
    start_entry(L, p);
    how = pg_wait_result(p->conn);
    if (how != PG_READY) fail(L, p, how);
    take(L, p);
  }
}

/* Reads what has come, without waiting. */
static void read_some(lua_State *L, Pipeline *p) {
  PQconsumeInput(p->conn->pg);
  start_entry(L, p);
  while (p->done < p->sent && !PQisBusy(p->conn->pg)) {
    take(L, p);
    start_entry(L, p);
  }
}

/* --- sending --- */

/* Sends what libpq has buffered, reading what comes meanwhile. */
static void flush(lua_State *L, Pipeline *p) {
  while (PQflush(p->conn->pg) > 0) {
    PgWait how = pg_wait(p->conn, POLLIN | POLLOUT);
    if (how != PG_READY) fail(L, p, how);
    read_some(L, p);
  }
  p->unflushed = 0;
}

static size_t size_of(lua_State *L, const PgStatement *statement, const PgParams *params) {
  size_t size = 64 + lua_rawlen(L, statement->text);
  for (int i = 0; i < params->count; i++) size += 16 + (size_t)params->lengths[i];
  return size;
}

/* The end of a batch: the batch before it must be answered first. */
static void end_batch(lua_State *L, Pipeline *p) {
  if (!PQsendFlushRequest(p->conn->pg)) pg_raise_last(L, p->conn, 0, 0);
  flush(L, p);
  read_until(L, p, p->batch);
  p->batch = p->sent;
  p->bytes = 0;
}

static void send_entry(lua_State *L, Pipeline *p) {
  PgStatement statement;
  PgParams *params = prepare_entry(L, p->sent + 1, &statement);
  size_t size = size_of(L, &statement, params);
  pg_send(L, p->conn, &statement, params, p->sent + 1);
  lua_pop(L, 2);
  p->sent++;
  p->bytes += size;
  p->unflushed += size;
  if (p->launched) {
    if (is_set(L, p->sent, "flush") && !PQsendFlushRequest(p->conn->pg)) pg_raise_last(L, p->conn, 0, 0);
    return;
  }
  if (p->unflushed > FLUSH_BYTES) flush(L, p);
  if (p->sent - p->batch >= BATCH_STATEMENTS || p->bytes >= BATCH_BYTES) end_batch(L, p);
}

static void sync(lua_State *L, Pipeline *p) {
  p->conn->synced = PQpipelineSync(p->conn->pg) != 0;
  if (!p->conn->synced) pg_raise_last(L, p->conn, 0, 0);
}

/* Past the sync the pipeline is over: it is left before anything can raise, unless more was launched behind it. */
static void finish(lua_State *L, Pipeline *p) {
  PGconn *pg = p->conn->pg;
  PgWait how;
  how = pg_wait_result(p->conn);
  if (how != PG_READY) fail(L, p, how);
  p->box->result = PQgetResult(pg);
  if (p->conn->launched > 0) p->conn->launched--;
  if (PQresultStatus(p->box->result) != PGRES_PIPELINE_SYNC || !(p->conn->launched > 0 || PQexitPipelineMode(pg)))
    fail(L, p, PG_READY);
  pg_unbox(p->box);
}

/* Reads the arguments and enters pipeline mode; false where there is nothing to do. [results are left on the stack] */
static bool begin(lua_State *L, Pipeline *p) {
  bool behind = p->launched && pg_conn(L, CONN)->launched > 0 && pg_conn(L, CONN)->synced;
  p->conn = behind ? pg_conn(L, CONN) : pg_ready(L, CONN);
  luaL_checktype(L, LIST, LUA_TTABLE);
  lua_settop(L, OPTIONS);
  p->count = (lua_Integer)lua_rawlen(L, LIST);
  p->box = pg_box(L);
  pg_params(L);
  lua_createtable(L, (int)p->count, 0);
  if (p->count == 0) return false;
  check_list(L, p->count);
  p->conn->deadline = pg_deadline(L, OPTIONS);
  p->conn->synced = false;
  if (!behind && !PQenterPipelineMode(p->conn->pg)) pg_raise_last(L, p->conn, 0, 0);
  while (p->sent < p->count) send_entry(L, p);
  sync(L, p);
  return true;
}

/* conn:pipeline(list, {timeout = seconds}?) -> results, one for each statement */
static int conn_pipeline(lua_State *L) {
  Pipeline p = {0};
  if (!begin(L, &p)) return 1;
  read_until(L, &p, p.count);
  finish(L, &p);
  lua_settop(L, RESULTS);
  return 1;
}

/* A server that reads gets all of it now: else it would have to wait for the rest until the caller waits. One that is
   still at work on what was launched before does not read. */
static const double SENDING_SECONDS = 1, SENDING_BEHIND_SECONDS = 0.02;

/* conn:launch(list): sends the statements as `pipeline` does, and does not wait for answers; what the server does not
   take is kept in memory. After a statement with `flush` the server sends what it has by then, else when it is done or
   has much. `pg.wait` tells when there are answers, and `land` with the same list reads them. More lists may be
   launched behind it, which are landed in their order; a failure ends all of them. */
static int conn_launch(lua_State *L) {
  Pipeline p = {.launched = true};
  double deadline;
  if (!begin(L, &p)) return 0;
  deadline = p.conn->deadline;
  p.conn->deadline = rt_clock() + (p.conn->launched > 0 ? SENDING_BEHIND_SECONDS : SENDING_SECONDS);
  p.conn->launched++;
  pg_wait_sent(p.conn);
  p.conn->deadline = deadline;
  return 0;
}

/* conn:land(list, first?, last?) -> results of what was launched, each at the place of its statement: of all, or of
   those from the first to the last. Parts are landed in their order, and the last part ends the pipeline. */
static int conn_land(lua_State *L) {
  Pipeline p = {.conn = pg_conn(L, CONN)};
  lua_Integer last;
  luaL_checktype(L, LIST, LUA_TTABLE);
  p.count = p.sent = (lua_Integer)lua_rawlen(L, LIST);
  p.done = luaL_optinteger(L, 3, 1) - 1;
  last = luaL_optinteger(L, 4, p.count);
  luaL_argcheck(L, p.done >= 0 && p.done <= p.count, 3, "no such statement");
  luaL_argcheck(L, last <= p.count, 4, "no such statement");
  lua_settop(L, LIST);
  lua_pushnil(L);
  p.box = pg_box(L);
  pg_params(L);
  lua_createtable(L, (int)p.count, 0);
  if (p.count == 0) return 1;
  if (PQpipelineStatus(p.conn->pg) == PQ_PIPELINE_OFF) rt_raise(L, "operation", "nothing was launched on the connection");
  read_until(L, &p, last);
  if (last == p.count) finish(L, &p);
  lua_settop(L, RESULTS);
  return 1;
}

const luaL_Reg pg_pipeline_methods[] = {
    {"pipeline", conn_pipeline}, {"launch", conn_launch}, {"land", conn_land}, {NULL, NULL}};
