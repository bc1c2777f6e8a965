#include "loader.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lfs.h>
#include <lua-cjson.h>
#include <lua-lpeg.h>

#include "rt.h"
#include "sys.h"

/* Debian's header has only the first of the library's two modules. */
int luaopen_cjson_safe(lua_State *L);

/* The folder above moontide/ to read instead of the embedded files, so that editing Lua needs no build. */
static const char *tree(void) {
  const char *folder = getenv("MOONTIDE_LUA_PATH");
  return folder != NULL && *folder != '\0' ? folder : NULL;
}

static const Embedded *find_module(const char *name) {
  for (size_t i = 0; i < embedded_count; i++) {
    const Embedded *file = &embedded_files[i];
    if (file->module != NULL && strcmp(file->module, name) == 0) return file;
  }
  return NULL;
}

static const Embedded *find_chunk(const char *chunk) {
  for (size_t i = 0; i < embedded_count; i++)
    if (strcmp(embedded_files[i].chunk, chunk) == 0) return &embedded_files[i];
  return NULL;
}

static bool is_ours(const char *module) {
  return strncmp(module, "moontide.", 9) == 0;
}

/* Searcher: a module from the binary. What is called moontide.* is never looked for anywhere else. */
static int search_embedded(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const Embedded *file = find_module(name);
  if (file == NULL && is_ours(name)) return luaL_error(L, "module '%s' is not part of this program", name);
  if (file == NULL) return 0;
  if (luaL_loadbufferx(L, file->image, file->image_length, file->chunk, "b") != LUA_OK) return lua_error(L);
  lua_pushstring(L, file->chunk);
  return 2;
}

/* Compiles <tree>/<path> under the chunk name that it has in the binary, and answers as a searcher does. */
static int load_from_tree(lua_State *L, const char *path) {
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  const char *chunk = lua_pushfstring(L, "@lua/%s", path);
  if (luaL_loadbufferx(L, text, length, chunk, "t") != LUA_OK) return lua_error(L);
  lua_pushstring(L, chunk);
  return 2;
}

/* Searcher: one of our modules from the tree. It stands before the embedded ones, and does not fall back to them: a
   module that was deleted from the tree is gone. */
static int search_tree(lua_State *L) {
  static const char *const forms[] = {"%s.lua", "%s/init.lua"};
  const char *name = luaL_checkstring(L, 1);
  if (!is_ours(name)) return 0;
  name = luaL_gsub(L, name, ".", "/");
  for (size_t i = 0; i < 2; i++) {
    const char *path = lua_pushfstring(L, forms[i], name);
    if (sys_push_file(L, lua_pushfstring(L, "%s/%s", tree(), path))) return load_from_tree(L, path);
  }
  return luaL_error(L, "module '%s' is not in %s", lua_tostring(L, 1), tree());
}

/* The module moontide.runtime.resource is one function: resource(path) -> text of lua/moontide/<path>, or nil. */
static int resource(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  const Embedded *file;
  if (tree() != NULL) {
    if (!sys_push_file(L, lua_pushfstring(L, "%s/moontide/%s", tree(), path))) lua_pushnil(L);
    return 1;
  }
  file = find_chunk(lua_pushfstring(L, "@lua/moontide/%s", path));
  if (file == NULL) lua_pushnil(L);
  else lua_pushlstring(L, file->text, file->text_length);
  return 1;
}

static int luaopen_resource(lua_State *L) {
  lua_pushcfunction(L, resource);
  return 1;
}

static const luaL_Reg c_modules[] = {
  {"moontide.runtime.pg", luaopen_moontide_pg},
  {"moontide.runtime.sys", luaopen_moontide_sys},
  {"moontide.runtime.digest", luaopen_moontide_digest},
  {"moontide.runtime.resource", luaopen_resource},
  {"lpeg", luaopen_lpeg},
  {"cjson", luaopen_cjson},
  {"cjson.safe", luaopen_cjson_safe},
  {"lfs", luaopen_lfs},
  {NULL, NULL},
};

/* Puts a searcher behind that of package.preload, before the ones that look through package.path. [-0, +0] */
static void add_searcher(lua_State *L, lua_CFunction searcher) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {
    lua_geti(L, -1, i);
    lua_seti(L, -2, i + 1);
  }
  lua_pushcfunction(L, searcher);
  lua_seti(L, -2, 2);
  lua_pop(L, 2);
}

void loader_install(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, c_modules, 0);
  lua_pop(L, 1);
  add_searcher(L, search_embedded);
  if (tree() != NULL) add_searcher(L, search_tree);
}
