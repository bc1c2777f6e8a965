#include "rt.h"

#include <stdarg.h>
#include <time.h>

/* [-0, +1] */
static void pushfault(lua_State *L, const char *kind, const char *format, va_list arguments) {
  lua_createtable(L, 0, 4);
  rt_setfield_string(L, "kind", kind);
  lua_pushvfstring(L, format, arguments);
  lua_setfield(L, -2, "message");
}

void rt_pushfault(lua_State *L, const char *kind, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  pushfault(L, kind, format, arguments);
  va_end(arguments);
}

int rt_raise(lua_State *L, const char *kind, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  pushfault(L, kind, format, arguments);
  va_end(arguments);
  return lua_error(L);
}

int rt_raise_interrupted(lua_State *L) {
  rt_interrupt_clear();
  return rt_raise(L, "interrupted", "interrupted");
}

void rt_setfield_string(lua_State *L, const char *key, const char *value) {
  if (value == NULL) return;
  lua_pushstring(L, value);
  lua_setfield(L, -2, key);
}

double rt_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
