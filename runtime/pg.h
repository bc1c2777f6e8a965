/* What the files of the libpq binding share. The binding is the Lua module moontide.runtime.pg.

   One rule stands behind most of it: any call into Lua may raise and leave the C function. So everything that libpq
   hands out is kept in a userdata with a finalizer (a connection, a box for one result, a copy) before Lua is called
   again, and the connection remembers enough to be brought back to idle by whoever uses it next (pg_ready). */
#ifndef MOONTIDE_PG_H
#define MOONTIDE_PG_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "rt.h"

/* How a wait ended. A lost connection counts as PG_READY: libpq then answers at once, with an error result. */
typedef enum { PG_READY, PG_TIMEOUT, PG_INTERRUPTED } PgWait;

typedef struct PgNotice PgNotice;

typedef struct PgConn {
  PGconn *pg;        /* NULL when closed */
  const void *child; /* the iterator or copy in progress, which has the connection to itself */
  double deadline;   /* of the operation in progress, on rt_clock */
  PgNotice *first, *last;
  int notices, dropped; /* how many are kept, and how many are not: there is a limit, and malloc can fail */
  bool simple;          /* the last statement went by the simple protocol */
  bool synced;          /* in pipeline mode: the sync at its end is sent */
  int launched;         /* lists of statements that were launched and not landed */
  PostgresPollingStatusType next; /* while connecting: what libpq waits for */
  PGcancel *cancel;               /* made beforehand: a signal handler cannot */
  struct PgConn *volatile other;  /* the next one that the last act cancels */
} PgConn;

/* What the server says about an error or a notice: one string or NULL for each field named in pg_error.c. */
enum { PG_FIELDS = 17 };
typedef struct PgFields {
  const char *value[PG_FIELDS];
} PgFields;

/* A place for one result, so that it is freed whatever happens. */
typedef struct PgBox {
  PGresult *result;
} PgBox;

/* The parameters of one statement, as libpq wants them. Strings stay where Lua has them. */
typedef struct PgParams {
  lua_Integer number; /* of the statement in a pipeline, or 0 */
  int count, room;
  const char **values;
  Oid *types;
  int *lengths, *formats;
  char (*digits)[32]; /* numbers as text */
} PgParams;

/* One statement: text or the name of a prepared one, and where Lua has its text (0 for nowhere), for errors. */
typedef struct PgStatement {
  const char *sql, *prepared;
  int text;
} PgStatement;

/* pg_connect.c */
PgConn *pg_conn(lua_State *L, int index);  /* the open connection there, or an error. [-0, +0] */
PgConn *pg_ready(lua_State *L, int index); /* the same, idle and without a child. [-0, +0] */
void pg_close(PgConn *conn);
void pg_connect_open(lua_State *L); /* adds connect, parse, keywords to the module on top; makes the metatable */

/* pg_wait.c */
PgWait pg_wait(const PgConn *conn, short events);  /* until the socket is ready */
PgWait pg_wait_result(PgConn *conn);               /* until PQgetResult does not block; sends what is unsent */
PgWait pg_wait_sent(PgConn *conn);                 /* until everything is sent; reads what comes meanwhile */
PgWait pg_read_all(PgConn *conn, PgBox *box);      /* leaves the first error, else the last result */
double pg_deadline(lua_State *L, int index);       /* from {timeout = seconds} there. [-0, +0] */

/* pg_cancel.c */
bool pg_cancel(PgConn *conn); /* asks the server to cancel what it does */
void pg_enlist(PgConn *conn); /* it is connected: the second Ctrl-C cancels what it does */
void pg_delist(PgConn *conn);
/* Goes on asking until `over`, which may wait until the deadline of the connection, is true. Gives up in the end. */
bool pg_cancel_until(PgConn *conn, bool (*over)(void *), void *argument);
bool pg_is_idle(const PgConn *conn);
bool pg_abandon(PgConn *conn); /* makes what is left of a pipeline fail and ends it; false: could not */
bool pg_settle(PgConn *conn);  /* reads everything still to come; false: could not, and closed the connection */
bool pg_stop(PgConn *conn);    /* cancels and settles, unless it is idle; false also when it is closed */
void pg_leave(PgConn *conn, bool in_transaction); /* ends a result nobody reads to its end */

/* pg_error.c */
PgBox *pg_box(lua_State *L); /* [-0, +1] */
void pg_unbox(PgBox *box);   /* frees what is in it */
bool pg_is_error(const PGresult *result);
/* `text` is the index of the statement's text, or 0; `number` its place in a pipeline, or 0. [-0, +0] */
void pg_check(lua_State *L, PgConn *conn, PgWait how, PgBox *box, int text, lua_Integer number); /* returns on success */
int pg_raise_last(lua_State *L, PgConn *conn, int text, lua_Integer number); /* libpq refused a call */
int pg_raise_wait(lua_State *L, PgConn *conn, PgWait how, int text, lua_Integer number);
int pg_refuse(lua_State *L, lua_Integer number, const char *format, ...); /* raises kind "operation" */
/* Fields of the table on top. [-0, +0] */
void pg_get_fields(const PGresult *result, PgFields *fields);
void pg_set_fields(lua_State *L, const PgFields *fields);
void pg_set_statement(lua_State *L, int text, lua_Integer number);
void pg_set_message(lua_State *L, const char *text); /* message = first line, detail = the rest */

/* pg_notice.c */
void pg_notice_receive(void *conn, const PGresult *result);
bool pg_push_notices(lua_State *L, PgConn *conn); /* moves them to a list, [-0, +1]; false: none, [-0, +0] */
void pg_drop_notices(PgConn *conn);

/* pg_value.c */
PgParams *pg_params(lua_State *L); /* none. [-0, +1] */
/* Fills the scratch userdata at one index from the table at the other; a bigger one may take its place. [-0, +0] */
PgParams *pg_fill_params(lua_State *L, int scratch, int index, lua_Integer number);
int pg_format_number(lua_State *L, int index, char digits[32]); /* its length. [-0, +0] */
void pg_push_columns(lua_State *L, const PGresult *result);     /* the names. [-0, +1] */
void pg_push_cell(lua_State *L, const PGresult *result, int row, int column);   /* of a cell that is not NULL. [-0, +1] */
/* Without the first columns; `columns` is where their names are. [-0, +1] */
void pg_push_row(lua_State *L, const PGresult *result, int row, int columns, int skip);
void pg_push_result(lua_State *L, PgConn *conn, PgBox *box, bool rows); /* frees the result. [-0, +1] */

/* pg_exec.c */
const char *pg_check_string(lua_State *L, int index, lua_Integer number, const char *what); /* no NUL bytes. [-0, +0] */
/* Reads the statement at `index`; pushes its text, or nil. [-0, +1] */
void pg_statement(lua_State *L, int conn, int index, lua_Integer number, PgStatement *statement);
void pg_send(lua_State *L, PgConn *conn, const PgStatement *statement, const PgParams *params, lua_Integer number);
void pg_send_simple(lua_State *L, PgConn *conn, const char *sql, int text);
extern const luaL_Reg pg_exec_methods[], pg_rows_methods[], pg_copy_methods[], pg_pipeline_methods[];

/* pg_held.c */
PGresult *pg_held(lua_State *L, int index);      /* the result there, or an error. [-0, +0] */
void pg_push_held(lua_State *L, PgBox *from);    /* takes the result out of the box. [-0, +1] */
int pg_check_cell(lua_State *L, int index, int limit, const char *what); /* a number from 1, as one from 0. [-0, +0] */

/* pg_rows.c, pg_copy.c, pg_held.c: make their metatables. [-0, +0] */
void pg_rows_open(lua_State *L);
void pg_copy_open(lua_State *L);
void pg_held_open(lua_State *L);
void pg_array_open(lua_State *L); /* pg_array.c: adds array to the module on top. [-0, +0] */

#endif
