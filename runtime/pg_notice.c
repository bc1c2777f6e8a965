/* Notices. They arrive inside libpq, in the middle of whatever it does, where raising would leave libpq half way: so
   they are copied into a plain list of the connection and become Lua values together with the next result. */

#include "pg.h"

#include <stdlib.h>
#include <string.h>

enum { NOTICE_LIMIT = 1000 };

struct PgNotice {
  PgNotice *next;
  PgFields fields; /* the strings follow in the same block */
};

static PgNotice *copy_fields(const PgFields *fields) {
  size_t size = sizeof(PgNotice);
  PgNotice *notice;
  char *end;
  for (int i = 0; i < PG_FIELDS; i++)
    if (fields->value[i] != NULL) size += strlen(fields->value[i]) + 1;
  notice = malloc(size);
  if (notice == NULL) return NULL;
  memset(notice, 0, sizeof *notice);
  end = (char *)(notice + 1);
  for (int i = 0; i < PG_FIELDS; i++) {
    if (fields->value[i] == NULL) continue;
    notice->fields.value[i] = end;
    end = stpcpy(end, fields->value[i]) + 1;
  }
  return notice;
}

void pg_notice_receive(void *receiver, const PGresult *result) {
  PgConn *conn = receiver;
  PgFields fields;
  PgNotice *notice = NULL;
  pg_get_fields(result, &fields);
  if (conn->notices < NOTICE_LIMIT) notice = copy_fields(&fields);
  if (notice == NULL) {
    conn->dropped++;
    return;
  }
  *(conn->first == NULL ? &conn->first : &conn->last->next) = notice;
  conn->last = notice;
  conn->notices++;
}

static void drop_first(PgConn *conn) {
  PgNotice *notice = conn->first;
  conn->first = notice->next;
  conn->notices--;
  free(notice);
}

void pg_drop_notices(PgConn *conn) {
  while (conn->first != NULL) drop_first(conn);
  conn->dropped = 0;
}

/* The list has a field `dropped` when there were more than it holds. */
bool pg_push_notices(lua_State *L, PgConn *conn) {
  if (conn->first == NULL) return false;
  lua_createtable(L, conn->notices, 0);
  for (int i = 1; conn->first != NULL; i++) {
    lua_createtable(L, 0, 4);
    pg_set_fields(L, &conn->first->fields);
    lua_rawseti(L, -2, i);
    drop_first(conn);
  }
  if (conn->dropped == 0) return true;
  lua_pushinteger(L, conn->dropped);
  lua_setfield(L, -2, "dropped");
  conn->dropped = 0;
  return true;
}
