/* Files: reading and atomic writing. */

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

/* Adds what is left in `fd` to the buffer. */
static bool read_all(int fd, luaL_Buffer *buffer) {
  ssize_t count;
  do {
    char *room = luaL_prepbuffsize(buffer, 65536);
    count = read(fd, room, 65536);
    if (count > 0) luaL_addsize(buffer, (size_t)count);
  } while (count > 0 || (count < 0 && errno == EINTR));
  return count == 0;
}

bool sys_push_file(lua_State *L, const char *path) {
  luaL_Buffer buffer;
  bool whole;
  int failure;
  int *fd = sys_push_fd(L);
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0) return lua_pop(L, 1), false;
  luaL_buffinit(L, &buffer);
  whole = read_all(*fd, &buffer);
  failure = errno;
  luaL_pushresult(&buffer);
  sys_close_fd(fd);
  lua_remove(L, -2);
  errno = failure;
  return whole ? true : (lua_pop(L, 1), false);
}

/* sys.read(path) -> bytes, or nil, message, errno */
static int file_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  return sys_push_file(L, path) ? 1 : luaL_fileresult(L, 0, path);
}

static const luaL_Reg functions[] = {
  {"read", file_read},
  {NULL, NULL},
};

void sys_open_file(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
