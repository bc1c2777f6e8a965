/* What sys.run and sys.spawn share. */
#ifndef MOONTIDE_SYS_PROCESS_H
#define MOONTIDE_SYS_PROCESS_H

#include <lua.h>

#include "sys_child.h"

/* Makes the argument list at stack index 1 and the table of options at 2 into a command. Leaves on the stack what the
   command points to. [-0, +n] */
Command process_read_command(lua_State *L);

/* Checks the two arguments; an absent table of options becomes an empty one. The stack holds just them. */
void process_check_arguments(lua_State *L);

/* Answers nil and the message that the command could not be started, from errno. [-0, +2] */
int process_push_failure(lua_State *L, const Command *command, const char *failed);

/* Appends what can be read now to the list at `chunks`; closes the descriptor at its end. [-0, +0] */
void process_receive(lua_State *L, int *fd, int chunks);

/* The chunks of a list as one string. [-0, +1] */
void process_push_joined(lua_State *L, int chunks);

/* t.status or t.signal of an ended child, for the table at the top. [-0, +0] */
void process_setfield_status(lua_State *L, const Child *child);

#endif
