/* Files: reading, atomic writing, owners and modes. */

#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt.h"

/* Up to `size` bytes, less only at the end of the file; negative with errno set. */
static ssize_t read_up_to(int fd, char *bytes, size_t size) {
  size_t total = 0;
  ssize_t count = 0;
  while (total < size && ((count = read(fd, bytes + total, size - total)) > 0 || (count < 0 && errno == EINTR)))
    if (count > 0) total += (size_t)count;
  return count < 0 ? -1 : (ssize_t)total;
}

/* Adds what is left in `fd` to the buffer. */
static bool read_all(int fd, luaL_Buffer *buffer) {
  ssize_t count;
  do {
    count = read_up_to(fd, luaL_prepbuffsize(buffer, 65536), 65536);
    if (count > 0) luaL_addsize(buffer, (size_t)count);
  } while (count == 65536);
  return count >= 0;
}

/* The rest of an open file after the bytes that were read already. The fd is at the top, in its box. [-1, +(1 when true)] */
static bool push_rest(lua_State *L, int *fd, const char *start, size_t length) {
  luaL_Buffer buffer;
  bool whole;
  int failure;
  luaL_buffinit(L, &buffer);
  luaL_addlstring(&buffer, start, length);
  whole = read_all(*fd, &buffer);
  failure = errno;
  luaL_pushresult(&buffer);
  sys_close_fd(fd);
  lua_remove(L, -2);
  errno = failure;
  return whole ? true : (lua_pop(L, 1), false);
}

static bool push_large_file(lua_State *L, const char *path) {
  int *fd = sys_push_fd(L);
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  return *fd < 0 ? (lua_pop(L, 1), false) : push_rest(L, fd, "", 0);
}

/* What was read from a pipe cannot be read again. */
static bool push_pipe(lua_State *L, int pipe, const char *start, size_t length) {
  int *fd = sys_push_fd(L);
  *fd = pipe;
  return push_rest(L, fd, start, length);
}

/* A small file is read onto the stack, so that reading thousands makes no garbage, and closed before Lua can raise an
   error; a large one is opened once more, into a box that closes it. */
bool sys_push_file(lua_State *L, const char *path) {
  char small[8192];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t count = fd < 0 ? -1 : read_up_to(fd, small, sizeof small);
  int failure = errno;
  bool is_large = count == (ssize_t)sizeof small;
  if (is_large && lseek(fd, 0, SEEK_CUR) < 0) return push_pipe(L, fd, small, sizeof small);
  if (fd >= 0) close(fd);
  errno = failure;
  if (is_large) return push_large_file(L, path);
  if (count >= 0) lua_pushlstring(L, small, (size_t)count);
  return count >= 0;
}

/* sys.read(path) -> bytes, or nil, message, errno */
static int file_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  return sys_push_file(L, path) ? 1 : luaL_fileresult(L, 0, path);
}

static bool write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = write(fd, bytes, length);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) bytes += count, length -= (size_t)count;
  }
  return true;
}

/* What happens to the temporary file: its mode if asked for, its bytes, on the disk. */
static bool fill(int fd, mode_t mode, bool exact, const char *bytes, size_t length) {
  bool done = (!exact || fchmod(fd, mode) == 0) && write_all(fd, bytes, length) && fsync(fd) == 0;
  int failure = errno;
  if (close(fd) != 0 && done) return false;
  errno = failure;
  return done;
}

/* Makes the new name durable. A folder that cannot be synchronized is no reason to fail: the file is complete. */
static void sync_folder(const char *folder) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

/* Writes `temporary` and renames it to `path`; leaves no temporary file behind. */
static bool replace(const char *path, const char *temporary, mode_t mode, bool exact, const char *bytes,
                    size_t length) {
  int failure, fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return false;
  if (fill(fd, mode, exact, bytes, length) && rename(temporary, path) == 0) return true;
  failure = errno;
  unlink(temporary);
  errno = failure;
  return false;
}

/* The folder part of a path, "." when it has none. [-0, +1] */
static const char *push_folder(lua_State *L, const char *path) {
  const char *slash = strrchr(path, '/');
  if (slash == NULL) return lua_pushliteral(L, ".");
  return lua_pushlstring(L, path, slash == path ? 1 : (size_t)(slash - path));
}

/* The mode to create a file with: the one asked for, that of the file to be replaced, or 0644 less the umask. */
static mode_t mode_of(lua_State *L, const char *path, bool *exact) {
  struct stat old;
  mode_t mode = 0644;
  *exact = true;
  if (!lua_isnoneornil(L, 3) && lua_getfield(L, 3, "mode") != LUA_TNIL) return (mode_t)luaL_checkinteger(L, -1);
  if (stat(path, &old) == 0) return old.st_mode & 07777;
  *exact = false;
  return mode;
}

/* sys.write(path, bytes, {mode =}): the file has either its old content or all of the new one, whatever happens. */
static int file_write(lua_State *L) {
  size_t length;
  bool exact;
  const char *path = luaL_checkstring(L, 1);
  const char *bytes = luaL_checklstring(L, 2, &length);
  mode_t mode = mode_of(L, path, &exact);
  const char *folder = push_folder(L, path);
  const char *temporary =
    lua_pushfstring(L, "%s/.moontide-%d-%I", folder, (int)getpid(), (LUAI_UACINT)(rt_clock() * 1e6));
  if (!replace(path, temporary, mode, exact, bytes, length))
    return rt_raise(L, "file", "could not write \"%s\": %s", path, strerror(errno));
  sync_folder(folder);
  return 0;
}

static int raise_file(lua_State *L, const char *action, const char *path) {
  return rt_raise(L, "file", "could not %s \"%s\": %s", action, path, strerror(errno));
}

/* sys.chown(path, uid, gid) */
static int file_chown(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  uid_t uid = (uid_t)luaL_checkinteger(L, 2);
  gid_t gid = (gid_t)luaL_checkinteger(L, 3);
  return chown(path, uid, gid) == 0 ? 0 : raise_file(L, "change the owner of", path);
}

/* sys.chmod(path, mode) */
static int file_chmod(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  mode_t mode = (mode_t)luaL_checkinteger(L, 2);
  return chmod(path, mode) == 0 ? 0 : raise_file(L, "change the mode of", path);
}

/* sys.realpath(path) -> absolute path without links, or nil, message, errno */
static int file_realpath(lua_State *L) {
  char resolved[PATH_MAX];
  const char *path = luaL_checkstring(L, 1);
  if (realpath(path, resolved) == NULL) return luaL_fileresult(L, 0, path);
  lua_pushstring(L, resolved);
  return 1;
}

/* sys.mkdtemp(prefix) -> path of a new folder that only we can enter */
static int file_mkdtemp(lua_State *L) {
  size_t length;
  const char *prefix = luaL_checklstring(L, 1, &length);
  char *path = lua_newuserdatauv(L, length + sizeof "XXXXXX", 0);
  memcpy(path, prefix, length);
  memcpy(path + length, "XXXXXX", sizeof "XXXXXX");
  if (mkdtemp(path) == NULL) return raise_file(L, "create a folder like", prefix);
  lua_pushstring(L, path);
  return 1;
}

static const luaL_Reg functions[] = {
  /* bytes */
  {"read", file_read},
  {"write", file_write},
  /* names and rights */
  {"chown", file_chown},
  {"chmod", file_chmod},
  {"realpath", file_realpath},
  {"mkdtemp", file_mkdtemp},
  {NULL, NULL},
};

void sys_open_file(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
