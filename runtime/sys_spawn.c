/* Processes that run beside us: sys.spawn and sys.attend. Their output is captured; whoever spawned them attends them
   all at once and reads what there is. */

#include "sys.h"

#include <errno.h>
#include <math.h>
#include <signal.h>

#include "rt.h"
#include "sys_process.h"

static const char *const PROCESS = "moontide.process";

enum { DESCRIPTORS = 3 }; /* of each process: its end, its output, its errors */

static Child *check_process(lua_State *L, int index) {
  return luaL_checkudata(L, index, PROCESS);
}

/* What can be read of a stream now, maybe nothing; nil behind its end. [-0, +1] */
static void push_available(lua_State *L, int *fd) {
  int chunks = lua_gettop(L) + 1;
  bool was_open = *fd >= 0;
  lua_newtable(L);
  process_receive(L, fd, chunks);
  process_push_joined(L, chunks);
  if (!was_open) {
    lua_pop(L, 1);
    lua_pushnil(L);
  }
  lua_replace(L, chunks);
}

/* process:read() -> output, errors: what has come since the last time */
static int process_read(lua_State *L) {
  Child *child = check_process(L, 1);
  push_available(L, &child->output);
  push_available(L, &child->error);
  return 2;
}

/* process:ended() -> {status = | signal =}, or nil while it runs. What it has written last may still be unread. */
static int process_ended(lua_State *L) {
  Child *child = check_process(L, 1);
  if (!child_ended(child)) return lua_pushnil(L), 1;
  lua_createtable(L, 0, 1);
  process_setfield_status(L, child);
  return 1;
}

/* process:terminate(): SIGTERM, and no waiting */
static int process_terminate(lua_State *L) {
  Child *child = check_process(L, 1);
  if (!child_ended(child)) child_signal(child, SIGTERM);
  return 0;
}

/* process:close(): ends it if it still runs */
static int process_close(lua_State *L) {
  child_release(check_process(L, 1));
  return 0;
}

static const luaL_Reg methods[] = {
  {"read", process_read},
  {"ended", process_ended},
  {"terminate", process_terminate},
  {"close", process_close},
  {"__gc", process_close},
  {"__close", process_close},
  {NULL, NULL},
};

/* [-0, +1] */
static Child *push_process(lua_State *L) {
  Child *child = lua_newuserdatauv(L, sizeof *child, 0);
  *child = CHILD_NONE;
  if (luaL_newmetatable(L, PROCESS)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
  return child;
}

/* sys.spawn(argv, {cwd =, env =, uid =, gid =}) -> process, or nil, message. It reads an empty standard input. */
static int spawn(lua_State *L) {
  Command command;
  Child *child;
  const char *failed;
  process_check_arguments(L);
  command = process_read_command(L);
  command.capture = true;
  command.has_input = false;
  child = push_process(L);
  failed = child_start(child, &command);
  return failed != NULL ? process_push_failure(L, &command, failed) : 1;
}

/* The descriptors of the processes of the list at index 1; false when one of them has nothing that tells of its end.
   [-0, +1] */
static struct pollfd *push_descriptors(lua_State *L, lua_Integer count, bool *told) {
  struct pollfd *fds = lua_newuserdatauv(L, ((size_t)count * DESCRIPTORS + 1) * sizeof *fds, 0);
  for (lua_Integer i = 0; i < count; i++) {
    struct pollfd *own = fds + i * DESCRIPTORS;
    const Child *child;
    lua_geti(L, 1, i + 1);
    child = check_process(L, -1);
    own[0] = (struct pollfd){.fd = child->watch, .events = POLLIN};
    own[1] = (struct pollfd){.fd = child->output, .events = POLLIN};
    own[2] = (struct pollfd){.fd = child->error, .events = POLLIN};
    *told = *told && child->watch >= 0;
    lua_pop(L, 1);
  }
  return fds;
}

/* sys.attend(processes, seconds): sleeps until one of them has written something or ended, or the time is up. Raises
   "interrupted". */
static int attend(lua_State *L) {
  lua_Integer count;
  bool told = true;
  double deadline = rt_clock() + luaL_optnumber(L, 2, HUGE_VAL);
  struct pollfd *fds;
  luaL_checktype(L, 1, LUA_TTABLE);
  count = luaL_len(L, 1);
  fds = push_descriptors(L, count, &told);
  if (!told) deadline = fmin(deadline, rt_clock() + 0.01); /* look again soon */
  if (rt_poll(fds, (nfds_t)(count * DESCRIPTORS), deadline) < 0 && errno == EINTR && rt_interrupted())
    return rt_raise_interrupted(L);
  return 0;
}

static const luaL_Reg functions[] = {
  {"spawn", spawn},
  {"attend", attend},
  {NULL, NULL},
};

void sys_open_spawn(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
