/* Who we are, on which machine. */

#include "sys.h"

#include <limits.h>
#include <pwd.h>
#include <unistd.h>

#include "rt.h"

/* sys.uid() -> the user this process acts as */
static int user_uid(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)geteuid());
  return 1;
}

/* sys.user(name | uid) -> {name =, uid =, gid =, home =}, or nil when there is no such user */
static int user_user(lua_State *L) {
  const struct passwd *user =
    lua_isinteger(L, 1) ? getpwuid((uid_t)lua_tointeger(L, 1)) : getpwnam(luaL_checkstring(L, 1));
  if (user == NULL) return lua_pushnil(L), 1;
  lua_createtable(L, 0, 4);
  rt_setfield_string(L, "name", user->pw_name);
  rt_setfield_string(L, "home", user->pw_dir);
  lua_pushinteger(L, (lua_Integer)user->pw_uid);
  lua_setfield(L, -2, "uid");
  lua_pushinteger(L, (lua_Integer)user->pw_gid);
  lua_setfield(L, -2, "gid");
  return 1;
}

/* sys.hostname() -> name of this machine */
static int user_hostname(lua_State *L) {
  char name[HOST_NAME_MAX + 1];
  if (gethostname(name, sizeof name) != 0) return rt_raise(L, "internal", "could not get the name of this machine");
  name[HOST_NAME_MAX] = '\0';
  lua_pushstring(L, name);
  return 1;
}

static const luaL_Reg functions[] = {
  {"uid", user_uid},
  {"user", user_user},
  {"hostname", user_hostname},
  {NULL, NULL},
};

void sys_open_user(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
