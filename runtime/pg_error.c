/* From what libpq and the server say to error tables. */

#include "pg.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const BOX = "moontide.pg.result";

static const struct {
  int code;
  bool number;
  const char *name;
} FIELDS[PG_FIELDS] = {
    {PG_DIAG_SEVERITY_NONLOCALIZED, false, "severity"},
    {PG_DIAG_SQLSTATE, false, "sqlstate"},
    {PG_DIAG_MESSAGE_PRIMARY, false, "message"},
    {PG_DIAG_MESSAGE_DETAIL, false, "detail"},
    {PG_DIAG_MESSAGE_HINT, false, "hint"},
    {PG_DIAG_STATEMENT_POSITION, true, "position"},
    {PG_DIAG_INTERNAL_POSITION, true, "internal_position"},
    {PG_DIAG_INTERNAL_QUERY, false, "internal_query"},
    {PG_DIAG_CONTEXT, false, "context"},
    {PG_DIAG_SCHEMA_NAME, false, "schema"},
    {PG_DIAG_TABLE_NAME, false, "table"},
    {PG_DIAG_COLUMN_NAME, false, "column"},
    {PG_DIAG_DATATYPE_NAME, false, "datatype"},
    {PG_DIAG_CONSTRAINT_NAME, false, "constraint"},
    {PG_DIAG_SOURCE_FILE, false, "source_file"},
    {PG_DIAG_SOURCE_LINE, true, "source_line"},
    {PG_DIAG_SOURCE_FUNCTION, false, "source_function"},
};

void pg_unbox(PgBox *box) {
  PGresult *result = box->result;
  box->result = NULL;
  PQclear(result);
}

static int box_gc(lua_State *L) {
  pg_unbox(lua_touserdata(L, 1));
  return 0;
}

PgBox *pg_box(lua_State *L) {
  PgBox *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->result = NULL;
  if (luaL_newmetatable(L, BOX)) {
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return box;
}

bool pg_is_error(const PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  return result != NULL && (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE ||
                            status == PGRES_NONFATAL_ERROR || status == PGRES_PIPELINE_ABORTED);
}

void pg_get_fields(const PGresult *result, PgFields *fields) {
  for (int i = 0; i < PG_FIELDS; i++)
    fields->value[i] = PQresultErrorField(result, FIELDS[i].code);
}

void pg_set_fields(lua_State *L, const PgFields *fields) {
  for (int i = 0; i < PG_FIELDS; i++) {
    if (fields->value[i] == NULL) continue;
    if (FIELDS[i].number)
      lua_pushinteger(L, strtol(fields->value[i], NULL, 10));
    else
      lua_pushstring(L, fields->value[i]);
    lua_setfield(L, -2, FIELDS[i].name);
  }
}

void pg_set_message(lua_State *L, const char *text) {
  size_t end = strlen(text), first = strcspn(text, "\n");
  const char *rest = text + first + strspn(text + first, "\n\t ");
  while (end > 0 && strchr("\n\t ", text[end - 1]) != NULL) end--;
  lua_pushlstring(L, text, first);
  lua_setfield(L, -2, "message");
  if (rest >= text + end) return;
  lua_pushlstring(L, rest, (size_t)(text + end - rest));
  luaL_gsub(L, lua_tostring(L, -1), "\n\t", "\n");
  lua_setfield(L, -3, "detail");
  lua_pop(L, 1);
}

void pg_set_statement(lua_State *L, int text, lua_Integer number) {
  if (text != 0) {
    lua_pushvalue(L, text);
    lua_setfield(L, -2, "statement");
  }
  if (number == 0) return;
  lua_pushinteger(L, number);
  lua_setfield(L, -2, "index");
}

int pg_refuse(lua_State *L, lua_Integer number, const char *format, ...) {
  va_list arguments;
  rt_pushfault(L, "operation", "");
  va_start(arguments, format);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lua_setfield(L, -2, "message");
  pg_set_statement(L, 0, number);
  return lua_error(L);
}

static const char *kind_of(const PgConn *conn) {
  return PQstatus(conn->pg) == CONNECTION_BAD ? "connection" : "server";
}

/* What libpq says when it refuses a call is only in the connection. */
int pg_raise_last(lua_State *L, PgConn *conn, int text, lua_Integer number) {
  const char *problem = conn->pg != NULL ? PQerrorMessage(conn->pg) : "connection was lost";
  rt_pushfault(L, kind_of(conn), "");
  pg_set_message(L, *problem != '\0' ? problem : "out of memory in libpq");
  pg_set_statement(L, text, number);
  return lua_error(L);
}

static int raise_result(lua_State *L, PgConn *conn, PgBox *box, int text, lua_Integer number) {
  PgFields fields;
  rt_pushfault(L, kind_of(conn), "");
  pg_get_fields(box->result, &fields);
  pg_set_fields(L, &fields);
  if (PQresultErrorField(box->result, PG_DIAG_MESSAGE_PRIMARY) == NULL)
    pg_set_message(L, PQresultErrorMessage(box->result));
  pg_set_statement(L, text, number);
  pg_unbox(box);
  return lua_error(L);
}

int pg_raise_wait(lua_State *L, PgConn *conn, PgWait how, int text, lua_Integer number) {
  bool interrupted = how == PG_INTERRUPTED;
  if (interrupted) rt_interrupt_clear();
  if (!pg_stop(conn))
    rt_pushfault(L, "connection", "connection was closed because the server did not answer a cancel request");
  else if (interrupted)
    rt_pushfault(L, "interrupted", "interrupted");
  else
    rt_pushfault(L, "timeout", "statement was cancelled at its deadline");
  pg_set_statement(L, text, number);
  return lua_error(L);
}

/* A COPY that did not look like one. See skip in pg_cancel.c for why the connection may have to go. */
static int raise_copy(lua_State *L, PgConn *conn, PgBox *box, int text, lua_Integer number) {
  if (PQresultStatus(box->result) == PGRES_COPY_IN && !conn->simple)
    pg_close(conn);
  else
    pg_stop(conn);
  pg_unbox(box);
  rt_pushfault(L, "operation", "COPY cannot move data through this call");
  rt_setfield_string(L, "hint", "Use copy_in or copy_out of the connection.");
  pg_set_statement(L, text, number);
  return lua_error(L);
}

void pg_check(lua_State *L, PgConn *conn, PgWait how, PgBox *box, int text, lua_Integer number) {
  if (how != PG_READY) pg_raise_wait(L, conn, how, text, number);
  if (box->result == NULL) pg_raise_last(L, conn, text, number);
  if (pg_is_error(box->result)) raise_result(L, conn, box, text, number);
  switch (PQresultStatus(box->result)) {
  case PGRES_COPY_IN:
  case PGRES_COPY_OUT:
  case PGRES_COPY_BOTH: raise_copy(L, conn, box, text, number); break;
  default: break;
  }
}
