/* What pg_copy.c and pg_encode.c share. */
#ifndef MOONTIDE_PG_COPY_H
#define MOONTIDE_PG_COPY_H

#include "pg.h"

typedef struct PgCopy {
  PgConn *conn; /* NULL when finished */
  bool in, in_transaction;
  bool broken;        /* an error came in the middle of a row */
  char *chunk;        /* what libpq handed out */
  lua_Integer bytes;  /* of data that it was given */
  size_t used;        /* of scratch */
  char scratch[32 * 1024]; /* what is not sent yet; missing in a copy from the server */
} PgCopy;

/* The unfinished copy to the server at index 1, or an error. [-0, +0] */
PgCopy *pg_copy_in(lua_State *L);

/* Adds to the data. May wait, and raise; the statement's userdata is at index 1. [-0, +0] */
void pg_copy_add(lua_State *L, PgCopy *copy, const char *data, size_t length);

/* copy:rows(list, columns), in pg_encode.c */
int pg_copy_rows(lua_State *L);

#endif
