/* Processes: sys.run and the environment. */

#include "sys.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <math.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt.h"
#include "sys_child.h"
#include "sys_process.h"

static const char *const CHILD = "moontide.child";

/* Places on the stack of sys.run. */
enum { ARGV = 1, OPTIONS = 2, OUTPUT = 3, ERROR = 4 };

/* --- the arguments ------------------------------------------------------------------------------------------------ */

/* A NULL-terminated array of the strings of a list, which must stay on the stack as long as the array. [-0, +1] */
static char **push_strings(lua_State *L, int list) {
  lua_Integer count = luaL_len(L, list);
  char **strings = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof *strings, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_geti(L, list, i) != LUA_TSTRING) luaL_error(L, "argument %I of a command must be a string", i);
    strings[i - 1] = (char *)(uintptr_t)lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  strings[count] = NULL;
  return strings;
}

/* Appends "name=value" for each pair of the table at `changes`, where a value of false leaves the name out. [-0, +0] */
static void add_changes(lua_State *L, int changes, int list) {
  lua_pushnil(L);
  while (lua_next(L, changes) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "names in env must be strings");
    if (lua_toboolean(L, -1)) {
      lua_pushfstring(L, "%s=%s", lua_tostring(L, -2), luaL_checkstring(L, -1));
      lua_seti(L, list, luaL_len(L, list) + 1);
    }
    lua_pop(L, 1);
  }
}

/* Appends the entries of our environment that the table at `changes` does not name. [-0, +0] */
static void add_inherited(lua_State *L, int changes, int list) {
  for (char **entry = environ; *entry != NULL; entry++) {
    lua_pushlstring(L, *entry, strcspn(*entry, "="));
    if (lua_gettable(L, changes) == LUA_TNIL) {
      lua_pushstring(L, *entry);
      lua_seti(L, list, luaL_len(L, list) + 1);
    }
    lua_pop(L, 1);
  }
}

/* The environment of the child: ours with the changes of options.env. [-0, +(0|3)] */
static char **push_environment(lua_State *L) {
  int changes;
  if (lua_getfield(L, OPTIONS, "env") == LUA_TNIL) return lua_pop(L, 1), environ;
  luaL_argexpected(L, lua_istable(L, -1), OPTIONS, "table as env");
  changes = lua_gettop(L);
  lua_newtable(L);
  add_inherited(L, changes, changes + 1);
  add_changes(L, changes, changes + 1);
  return push_strings(L, changes + 1);
}

/* The groups that a login as this user would have. [-0, +1] */
static void push_groups(lua_State *L, Command *command) {
  int count = NGROUPS_MAX;
  const struct passwd *user = getpwuid(command->uid);
  gid_t *groups = lua_newuserdatauv(L, NGROUPS_MAX * sizeof *groups, 0);
  command->groups = groups;
  command->group_count = 1;
  groups[0] = command->gid;
  if (user != NULL && getgrouplist(user->pw_name, command->gid, groups, &count) > 0)
    command->group_count = (size_t)count;
}

/* options[name] as an integer. [-0, +0] */
static lua_Integer integer_option(lua_State *L, const char *name, lua_Integer otherwise) {
  lua_Integer value = otherwise;
  if (lua_getfield(L, OPTIONS, name) != LUA_TNIL) value = luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  return value;
}

static double number_option(lua_State *L, const char *name, double otherwise) {
  double value = otherwise;
  if (lua_getfield(L, OPTIONS, name) != LUA_TNIL) value = luaL_checknumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static bool boolean_option(lua_State *L, const char *name, bool otherwise) {
  bool value = lua_getfield(L, OPTIONS, name) == LUA_TNIL ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* The text stays alive in the options table. [-0, +0] */
static const char *string_option(lua_State *L, const char *name, size_t *length) {
  const char *value = NULL;
  int type = lua_getfield(L, OPTIONS, name);
  if (type != LUA_TNIL && type != LUA_TSTRING) luaL_error(L, "%s must be a string", name);
  if (type == LUA_TSTRING) value = lua_tolstring(L, -1, length);
  lua_pop(L, 1);
  return value;
}

Command process_read_command(lua_State *L) {
  Command command = {0};
  command.argv = push_strings(L, ARGV);
  luaL_argcheck(L, command.argv[0] != NULL, ARGV, "empty command");
  command.environment = push_environment(L);
  command.folder = string_option(L, "cwd", NULL);
  command.has_input = string_option(L, "input", NULL) != NULL;
  command.capture = boolean_option(L, "capture", true) && !boolean_option(L, "foreground", false);
  command.uid = (uid_t)integer_option(L, "uid", (lua_Integer)getuid());
  command.gid = (gid_t)integer_option(L, "gid", (lua_Integer)getgid());
  command.drop = command.uid != getuid() || command.gid != getgid();
  if (command.drop) push_groups(L, &command);
  return command;
}

/* --- the child ---------------------------------------------------------------------------------------------------- */

static int collect_child(lua_State *L) {
  child_release(luaL_checkudata(L, 1, CHILD));
  return 0;
}

/* [-0, +1] */
static Child *push_child(lua_State *L) {
  Child *child = lua_newuserdatauv(L, sizeof *child, 0);
  *child = CHILD_NONE;
  if (luaL_newmetatable(L, CHILD)) {
    lua_pushcfunction(L, collect_child);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return child;
}

void process_receive(lua_State *L, int *fd, int chunks) {
  char bytes[16384];
  ssize_t count;
  if (*fd < 0) return;
  while ((count = read(*fd, bytes, sizeof bytes)) > 0) {
    lua_pushlstring(L, bytes, (size_t)count);
    lua_rawseti(L, chunks, (lua_Integer)lua_rawlen(L, chunks) + 1);
  }
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) child_close(fd);
}

typedef struct Input {
  const char *bytes;
  size_t length;
} Input;

/* Writes what fits into the pipe; closes it when all is written or nobody reads it. */
static void send_input(Child *child, Input *input) {
  ssize_t count;
  if (child->input < 0) return;
  count = write(child->input, input->bytes, input->length);
  if (count >= 0) input->bytes += count, input->length -= (size_t)count;
  if (input->length == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) child_close(&child->input);
}

typedef enum Outcome { RUNNING, ENDED, TIMED_OUT, INTERRUPTED } Outcome;

/* Sleeps until something can be done. */
static Outcome await(const Child *child, double deadline) {
  double slice = child->watch >= 0 ? HUGE_VAL : rt_clock() + 0.01; /* nothing tells us of the end: look again soon */
  struct pollfd fds[] = {
    {.fd = child->watch, .events = POLLIN},
    {.fd = child->input, .events = POLLOUT},
    {.fd = child->output, .events = POLLIN},
    {.fd = child->error, .events = POLLIN},
  };
  if (rt_poll(fds, sizeof fds / sizeof *fds, fmin(deadline, slice)) < 0) return INTERRUPTED;
  return rt_clock() < deadline ? RUNNING : TIMED_OUT;
}

/* Until the child has ended, or its time has. Its output is complete when it has ended, also when something it left in
   the background keeps the pipes open (a server, for one). */
static Outcome attend(lua_State *L, Child *child, Input *input, double deadline) {
  Outcome outcome = RUNNING;
  while (outcome == RUNNING) {
    if (child_ended(child)) outcome = ENDED;
    send_input(child, input);
    process_receive(L, &child->output, OUTPUT);
    process_receive(L, &child->error, ERROR);
    if (outcome == RUNNING) outcome = await(child, deadline);
  }
  return outcome;
}

/* Starts the command and attends it. `*failed` says what could not be done, with errno set, else it is NULL. */
static Outcome conduct(lua_State *L, Child *child, const Command *command, Input *input, double deadline,
                       const char **failed) {
  *failed = child_start(child, command);
  return *failed != NULL ? ENDED : attend(L, child, input, deadline);
}

/* A child in the foreground gets the keys, Ctrl-C among them, as an editor wants; we wait until it is done with them.
   Its output is not captured, so no Lua error can come between the two sigactions. */
static Outcome conduct_foreground(lua_State *L, Child *child, const Command *command, Input *input, double deadline,
                                  const char **failed) {
  struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
  Outcome outcome;
  sigaction(SIGINT, &ignore, &before);
  outcome = conduct(L, child, command, input, deadline, failed);
  sigaction(SIGINT, &before, NULL);
  return outcome;
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

void process_push_joined(lua_State *L, int chunks) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (lua_Unsigned i = 1; i <= lua_rawlen(L, chunks); i++) {
    lua_rawgeti(L, chunks, (lua_Integer)i);
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
}

static void setfield_seconds(lua_State *L, const char *name, struct timeval time) {
  lua_pushnumber(L, (double)time.tv_sec + (double)time.tv_usec / 1e6);
  lua_setfield(L, -2, name);
}

/* usage = {user =, system =, maxrss =} [-0, +0] */
static void setfield_usage(lua_State *L, const struct rusage *usage) {
  lua_createtable(L, 0, 3);
  setfield_seconds(L, "user", usage->ru_utime);
  setfield_seconds(L, "system", usage->ru_stime);
  lua_pushinteger(L, usage->ru_maxrss);
  lua_setfield(L, -2, "maxrss");
  lua_setfield(L, -2, "usage");
}

void process_setfield_status(lua_State *L, const Child *child) {
  lua_pushinteger(L, WIFSIGNALED(child->status) ? WTERMSIG(child->status) : WEXITSTATUS(child->status));
  lua_setfield(L, -2, WIFSIGNALED(child->status) ? "signal" : "status");
}

/* {status = | signal =, usage =, stdout =, stderr =} [-0, +1] */
static void push_result(lua_State *L, const Child *child, bool captured) {
  lua_createtable(L, 0, 4);
  setfield_usage(L, &child->usage);
  process_setfield_status(L, child);
  if (!captured) return;
  process_push_joined(L, OUTPUT);
  lua_setfield(L, -2, "stdout");
  process_push_joined(L, ERROR);
  lua_setfield(L, -2, "stderr");
}

int process_push_failure(lua_State *L, const Command *command, const char *failed) {
  lua_pushnil(L);
  lua_pushfstring(L, "could not %s \"%s\": %s", failed, command->argv[0], strerror(errno));
  return 2;
}

/* What sys.run answers or raises for an outcome. */
static int finish(lua_State *L, const Child *child, const Command *command, Outcome outcome) {
  if (outcome == INTERRUPTED) return rt_raise_interrupted(L);
  if (outcome == TIMED_OUT) return rt_raise(L, "timeout", "\"%s\" took longer than it may", command->argv[0]);
  push_result(L, child, command->capture);
  return 1;
}

void process_check_arguments(lua_State *L) {
  luaL_checktype(L, ARGV, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_isnil(L, OPTIONS)) {
    lua_newtable(L);
    lua_replace(L, OPTIONS);
  }
  luaL_checktype(L, OPTIONS, LUA_TTABLE);
}

/* Fills the places of sys.run on the stack. */
static void prepare_stack(lua_State *L) {
  process_check_arguments(L);
  lua_newtable(L); /* OUTPUT */
  lua_newtable(L); /* ERROR */
}

/* sys.run(argv, {cwd =, env =, uid =, gid =, input =, capture =, timeout =, foreground =})
   -> {status = | signal =, usage =, stdout =, stderr =}, or nil, message when the program could not be started */
static int process_run(lua_State *L) {
  Command command;
  Child *child;
  Input input = {0};
  Outcome outcome;
  const char *failed;
  double deadline;
  prepare_stack(L);
  command = process_read_command(L);
  input.bytes = string_option(L, "input", &input.length);
  deadline = rt_clock() + number_option(L, "timeout", HUGE_VAL);
  child = push_child(L);
  outcome = (boolean_option(L, "foreground", false) ? conduct_foreground : conduct)(L, child, &command, &input,
                                                                                    deadline, &failed);
  if (failed != NULL) return process_push_failure(L, &command, failed);
  child_release(child);
  return finish(L, child, &command, outcome);
}

/* sys.environ() -> {name = value} */
static int process_environ(lua_State *L) {
  lua_newtable(L);
  for (char **entry = environ; *entry != NULL; entry++) {
    const char *value = strchr(*entry, '=');
    if (value == NULL) continue;
    lua_pushlstring(L, *entry, (size_t)(value - *entry));
    lua_pushstring(L, value + 1);
    lua_rawset(L, -3);
  }
  return 1;
}

/* sys.pid() -> id of this process */
static int process_pid(lua_State *L) {
  lua_pushinteger(L, getpid());
  return 1;
}

static const luaL_Reg functions[] = {
  {"run", process_run},
  {"environ", process_environ},
  {"pid", process_pid},
  {NULL, NULL},
};

void sys_open_process(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
