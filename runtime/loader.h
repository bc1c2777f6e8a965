/* The Lua modules inside the binary: the table that embed.c writes, and the way `require` finds them. */
#ifndef MOONTIDE_LOADER_H
#define MOONTIDE_LOADER_H

#include <stddef.h>

#include <lua.h>

/* One file of lua/. `module` is NULL for what is not a module (a template), `text` NULL for what is not ours. */
typedef struct Embedded {
  const char *module; /* "moontide.graph" */
  const char *chunk;  /* "@lua/moontide/graph.lua" */
  const char *image;  /* precompiled, with debug information */
  size_t image_length;
  const char *text; /* as it is in the tree */
  size_t text_length;
} Embedded;

extern const Embedded embedded_files[];
extern const size_t embedded_count;

/* Makes `require` find the C modules and the embedded Lua modules. [-0, +0] */
void loader_install(lua_State *L);

#endif
