/* Helpers that every binding shares. Each says what it does to the Lua stack as [-popped, +pushed]. */
#ifndef MOONTIDE_RT_H
#define MOONTIDE_RT_H

#include <poll.h>
#include <stdbool.h>

#include <lua.h>
#include <lauxlib.h>

/* Raises the error table {kind = kind, message = ...}; `format` is that of lua_pushfstring: %s %d %I %f %c %U %p %%.
   Declared int, like lua_error, so that a C function can `return rt_raise(...)`. [-0, +0, never returns] */
int rt_raise(lua_State *L, const char *kind, const char *format, ...);

/* Pushes that table instead of raising it, for errors that carry more fields. [-0, +1] */
void rt_pushfault(lua_State *L, const char *kind, const char *format, ...);

/* Raises {kind = "interrupted"} and consumes the interrupt. [-0, +0, never returns] */
int rt_raise_interrupted(lua_State *L);

/* t[key] = value for the table at the top; a NULL value leaves the field absent. [-0, +0] */
void rt_setfield_string(lua_State *L, const char *key, const char *value);

/* Seconds of the monotonic clock. */
double rt_clock(void);

/* True from the first SIGINT or SIGTERM until somebody consumes it. */
bool rt_interrupted(void);

/* Consumes the interrupt: running Lua code will not get it any more. A further signal still ends the process at once,
   because whoever consumed this one is on the way out. */
void rt_interrupt_clear(void);

/* Forgets that there was a signal: the next one is a first one again. For prompts, which outlive an interrupt. */
void rt_interrupt_reset(void);

/* Lets the first SIGINT or SIGTERM interrupt Lua code running in L, the second one end the process; ignores SIGPIPE. */
void rt_catch_signals(lua_State *L);

/* What is done in the signal handler before a second signal ends the process: only what is safe there. */
void rt_last_act(void (*act)(void));

/* poll(2) until `deadline` on rt_clock (HUGE_VAL waits for ever), without the race between looking at the flag and
   going to sleep. Answers the number of ready descriptors, 0 at the deadline, -1 with errno EINTR when interrupted. It
   does not consume the interrupt. */
int rt_poll(struct pollfd *fds, nfds_t count, double deadline);

/* The C modules. */
int luaopen_moontide_pg(lua_State *L);
int luaopen_moontide_sys(lua_State *L);
int luaopen_moontide_digest(lua_State *L);

#endif
