/* What the files of moontide.runtime.sys share. */
#ifndef MOONTIDE_SYS_H
#define MOONTIDE_SYS_H

#include <stdbool.h>

#include <lauxlib.h>
#include <lua.h>

/* A file descriptor that the collector closes if nobody did; -1 is "closed". Pushed empty, to be opened into.
   [-0, +1] */
int *sys_push_fd(lua_State *L);

/* Closes it now. Answers what close(2) answers, 0 when it was closed before. */
int sys_close_fd(int *fd);

/* The bytes of a file, or nothing with errno set. [-0, +(1 when true)] */
bool sys_push_file(lua_State *L, const char *path);

/* Adds the functions of a file to the module table at the top. [-0, +0] */
void sys_open_file(lua_State *L);
void sys_open_process(lua_State *L);
void sys_open_spawn(lua_State *L);
void sys_open_terminal(lua_State *L);
void sys_open_user(lua_State *L);
void sys_open_clock(lua_State *L);

#endif
