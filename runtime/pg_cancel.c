/* Getting a connection back to idle: cancelling on the server, and reading what is still to come. Nothing here
   raises. */

#include "pg.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the server may take to answer a cancel request, and to end the statement. */
static const double CANCEL_SECONDS = 5, SETTLE_SECONDS = 10;

/* PQcancel opens a connection of its own and blocks, for minutes when the network swallows its packets. It is made to
   be called from signal handlers, so it may as well run in a child process, which can be given up. The child says how
   it went by its exit code; the pipe only tells when it is over. */
static pid_t start_cancel(PGcancel *request, const int ends[2]) {
  char problem[256];
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    _exit(PQcancel(request, problem, sizeof problem) ? 0 : 1);
  }
  close(ends[1]);
  return child;
}

static bool finish_cancel(pid_t child, int end) {
  struct pollfd over = {.fd = end, .events = POLLIN};
  int status = 1;
  if (rt_poll(&over, 1, rt_clock() + CANCEL_SECONDS) <= 0) kill(child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return status == 0;
}

bool pg_cancel(PgConn *conn) {
  int ends[2];
  pid_t child = -1;
  bool done = false;
  if (conn->cancel != NULL && pipe(ends) == 0) {
    child = start_cancel(conn->cancel, ends);
    if (child > 0) done = finish_cancel(child, ends[0]);
    close(ends[0]);
  }
  return done;
}

/* The connections there are. A signal handler reads the list, so each is whole while it is in it. */
static PgConn *volatile enlisted;

/* Else the server would notice that nobody is there any more when it has an answer, and have committed by then what
   travelled in the same pipeline. */
static void cancel_all(void) {
  char problem[256];
  for (PgConn *conn = enlisted; conn != NULL; conn = conn->other)
    if (PQtransactionStatus(conn->pg) == PQTRANS_ACTIVE) PQcancel(conn->cancel, problem, sizeof problem);
}

void pg_enlist(PgConn *conn) {
  conn->cancel = PQgetCancel(conn->pg);
  if (conn->cancel == NULL) return;
  conn->other = enlisted;
  enlisted = conn;
  rt_last_act(cancel_all);
}

void pg_delist(PgConn *conn) {
  PGcancel *cancel = conn->cancel;
  PgConn *volatile *place = &enlisted;
  while (*place != NULL && *place != conn) place = &(*place)->other;
  if (*place == conn) *place = conn->other;
  conn->cancel = NULL;
  PQfreeCancel(cancel);
}

/* Reads the rest of a COPY TO away. */
static bool skip_copy(PgConn *conn) {
  char *chunk = NULL;
  int length;
  while ((length = PQgetCopyData(conn->pg, &chunk, 1)) >= 0) {
    PQfreemem(chunk);
    if (length > 0) continue;
    if (pg_wait(conn, POLLIN) != PG_READY || !PQconsumeInput(conn->pg)) return false;
  }
  return true;
}

/* Makes a COPY FROM fail. Only in the simple protocol: in the other one, whether the server answers once or twice to
   a COPY that ends with an error depends on whether it has seen the first sync. */
static bool refuse_copy(PgConn *conn) {
  int sent;
  while ((sent = PQputCopyEnd(conn->pg, "abandoned")) == 0)
    if (pg_wait_sent(conn) != PG_READY) return false;
  return sent > 0;
}

/* A pipeline without its sync: part of it may have run already, and a bare sync would commit that part. A reference
   to a statement that is not there fails, so the server rolls the part back. */
bool pg_abandon(PgConn *conn) {
  if (conn->synced) return true;
  conn->synced = PQsendQueryPrepared(conn->pg, "pipeline was abandoned", 0, NULL, NULL, NULL, 0) &&
                 PQpipelineSync(conn->pg);
  return conn->synced;
}

/* One step of settle for the result that came; NULL separates the statements of a pipeline and ends anything else.
   False when there is nothing more to do, or to hope for. */
static bool skip(PgConn *conn, PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  PQclear(result);
  if (PQstatus(conn->pg) == CONNECTION_BAD) return false;
  if (result == NULL) return PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF;
  if (status == PGRES_PIPELINE_SYNC) return !PQexitPipelineMode(conn->pg);
  if (status == PGRES_COPY_IN) return conn->simple && refuse_copy(conn);
  return status == PGRES_COPY_OUT ? skip_copy(conn) : true;
}

bool pg_is_idle(const PgConn *conn) {
  return PQstatus(conn->pg) == CONNECTION_OK && PQpipelineStatus(conn->pg) == PQ_PIPELINE_OFF &&
         PQtransactionStatus(conn->pg) != PQTRANS_ACTIVE;
}

/* Reads until the connection is idle, which is true, or its deadline is reached. */
static bool settle(void *argument) {
  PgConn *conn = argument;
  conn->launched = 0;
  if (PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF && !pg_abandon(conn)) return false;
  while (rt_clock() < conn->deadline && pg_wait_result(conn) == PG_READY)
    if (!skip(conn, PQgetResult(conn->pg))) break;
  return pg_is_idle(conn);
}

bool pg_settle(PgConn *conn) {
  bool settled;
  conn->deadline = rt_clock() + SETTLE_SECONDS;
  settled = settle(conn);
  if (!settled) pg_close(conn);
  return settled;
}

/* A request that arrives before the server has begun with the statement is ignored, so one is not enough. */
bool pg_cancel_until(PgConn *conn, bool (*over)(void *), void *argument) {
  double end = rt_clock() + SETTLE_SECONDS, patience = 0.1;
  bool done = false;
  for (; !done && rt_clock() < end && PQstatus(conn->pg) == CONNECTION_OK; patience *= 2) {
    if (!pg_cancel(conn) && rt_interrupted()) break;
    conn->deadline = fmin(end, rt_clock() + patience);
    done = over(argument);
  }
  return done;
}

bool pg_stop(PgConn *conn) {
  bool stopped;
  if (conn->pg == NULL) return false;
  if (pg_is_idle(conn)) return true;
  stopped = pg_cancel_until(conn, settle, conn);
  if (!stopped) pg_close(conn);
  return stopped;
}

/* Inside a transaction a cancel would fail the transaction, because somebody had read enough: there the rest is read. */
void pg_leave(PgConn *conn, bool in_transaction) {
  conn->deadline = HUGE_VAL;
  if (conn->pg == NULL || (in_transaction && settle(conn))) return;
  pg_stop(conn);
}
