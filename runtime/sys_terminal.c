/* The terminal: is there one, how wide is it, and a line from the person at it. */

#include "sys.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rt.h"

/* sys.isatty(fd) -> boolean */
static int terminal_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

/* sys.width(fd) -> columns, nil when it is no terminal or does not tell */
static int terminal_width(lua_State *L) {
  struct winsize size;
  int fd = (int)luaL_checkinteger(L, 1);
  bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  if (known) lua_pushinteger(L, size.ws_col);
  else lua_pushnil(L);
  return 1;
}

/* The next byte of standard input, EOF at its end. Reads no further, so others can go on where we stopped. */
static int next_byte(lua_State *L) {
  struct pollfd standard_input = {.fd = STDIN_FILENO, .events = POLLIN};
  unsigned char byte;
  ssize_t count;
  if (rt_poll(&standard_input, 1, HUGE_VAL) < 0 && errno == EINTR) rt_raise_interrupted(L);
  count = read(STDIN_FILENO, &byte, 1);
  if (count < 0) rt_raise(L, "file", "could not read standard input: %s", strerror(errno));
  return count == 0 ? EOF : byte;
}

/* sys.readline(prompt) -> line without its end, nil at the end of the input. Prompts on standard error.
   Ctrl-C raises "interrupted". Who asks again has dealt with earlier interrupts, so they are forgotten here. */
static int terminal_readline(lua_State *L) {
  luaL_Buffer line;
  int byte;
  const char *prompt = luaL_optstring(L, 1, "");
  if (rt_interrupted()) return rt_raise_interrupted(L);
  rt_interrupt_reset();
  fputs(prompt, stderr);
  fflush(stderr);
  luaL_buffinit(L, &line);
  while ((byte = next_byte(L)) != EOF && byte != '\n') luaL_addchar(&line, (char)byte);
  luaL_pushresult(&line);
  if (byte == EOF && lua_rawlen(L, -1) == 0) lua_pushnil(L);
  return 1;
}

static const luaL_Reg functions[] = {
  {"isatty", terminal_isatty},
  {"width", terminal_width},
  {"readline", terminal_readline},
  {NULL, NULL},
};

void sys_open_terminal(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
