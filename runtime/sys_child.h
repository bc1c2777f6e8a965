/* A child process, without Lua. */
#ifndef MOONTIDE_SYS_CHILD_H
#define MOONTIDE_SYS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/* What to run, and as whom. */
typedef struct Command {
  char **argv;
  char **environment;
  const char *folder; /* NULL: ours */
  bool capture;       /* its output comes to us; else it has our terminal */
  bool has_input;     /* we write its standard input */
  bool drop;          /* become uid, gid and groups first */
  uid_t uid;
  gid_t gid;
  const gid_t *groups;
  size_t group_count;
} Command;

/* A running or ended child. -1 in a descriptor means closed. */
typedef struct Child {
  pid_t pid; /* 0: not started, or reaped */
  bool leads_group;
  int watch; /* readable when the child has ended; -1 where the kernel has no such thing */
  int input, output, error;
  int status;          /* as waitpid says, once reaped */
  struct rusage usage; /* likewise */
} Child;

#define CHILD_NONE ((Child){.watch = -1, .input = -1, .output = -1, .error = -1})

/* Starts the command. Answers NULL, or what could not be done, with errno set. */
const char *child_start(Child *child, const Command *command);

/* Takes note of the end of the child if it has ended. */
bool child_ended(Child *child);

/* Sends a signal to the child, and to what it has started where it leads a group of its own. */
void child_signal(const Child *child, int number);

/* Ends the child if it still runs (politely, then not), reaps it and closes everything. Does nothing when repeated. */
void child_release(Child *child);

/* Closes one of the child's descriptors. */
void child_close(int *fd);

#endif
