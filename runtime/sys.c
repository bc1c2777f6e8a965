/* The module moontide.runtime.sys: what Lua's own library cannot ask of the operating system. */

#include "sys.h"

#include <unistd.h>

#include "rt.h"

static const char *const FD = "moontide.fd";

int sys_close_fd(int *fd) {
  int open_fd = *fd;
  *fd = -1;
  return open_fd < 0 ? 0 : close(open_fd);
}

static int collect_fd(lua_State *L) {
  sys_close_fd(luaL_checkudata(L, 1, FD));
  return 0;
}

int *sys_push_fd(lua_State *L) {
  int *fd = lua_newuserdatauv(L, sizeof *fd, 0);
  *fd = -1;
  if (luaL_newmetatable(L, FD)) {
    lua_pushcfunction(L, collect_fd);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return fd;
}

int luaopen_moontide_sys(lua_State *L) {
  lua_createtable(L, 0, 24);
  sys_open_file(L);
  sys_open_process(L);
  sys_open_spawn(L);
  sys_open_terminal(L);
  sys_open_user(L);
  sys_open_clock(L);
  return 1;
}
