/* Between fork and exec the child sets itself up step by step; the first step that fails is reported through a pipe
   that closes itself on a successful exec, so the parent learns of a missing program as plainly as of a missing
   file. */

#include "sys_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_END, WRITE_END, ENDS };
enum { INPUT, OUTPUT, ERROR, REPORT, PIPES };

typedef int Pipe[ENDS];

typedef enum Step { STEP_STREAMS, STEP_GROUPS, STEP_GID, STEP_UID, STEP_FOLDER, STEP_EXEC } Step;

static const char *const step_names[] = {
  [STEP_STREAMS] = "redirect the streams of",
  [STEP_GROUPS] = "set the groups of",
  [STEP_GID] = "set the group of",
  [STEP_UID] = "set the user of",
  [STEP_FOLDER] = "enter the folder for",
  [STEP_EXEC] = "run",
};

typedef struct Failure {
  Step step;
  int error;
} Failure;

void child_close(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void close_pipes(Pipe *pipes) {
  for (int i = 0; i < PIPES; i++) {
    child_close(&pipes[i][READ_END]);
    child_close(&pipes[i][WRITE_END]);
  }
}

/* Opens those pipes that the command needs. */
static bool open_pipes(Pipe *pipes, const Command *command) {
  bool wanted[PIPES] = {command->has_input, command->capture, command->capture, true};
  for (int i = 0; i < PIPES; i++) pipes[i][READ_END] = pipes[i][WRITE_END] = -1;
  for (int i = 0; i < PIPES; i++)
    if (wanted[i] && pipe2(pipes[i], O_CLOEXEC) != 0) return close_pipes(pipes), false;
  return true;
}

/* --- in the child, after fork ------------------------------------------------------------------------------------ */

/* Signals as a program expects to find them. */
static void default_signals(void) {
  static const int caught[] = {SIGINT, SIGTERM, SIGQUIT, SIGPIPE};
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigset_t none;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) sigaction(caught[i], &action, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Whatever else is open in this process (files of Lua's io library, for one) is not the child's. */
static void close_others_on_exec(void) {
  long limit = sysconf(_SC_OPEN_MAX);
  if (close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0) return;
  if (limit < 0 || limit > 65536) limit = 65536;
  for (int fd = 3; fd < (int)limit; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* A captured child without input reads the end of file, not our terminal. */
static bool redirect(Pipe *pipes, const Command *command) {
  int input = command->has_input ? pipes[INPUT][READ_END] : -1;
  if (!command->has_input && command->capture) input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input >= 0 && dup2(input, STDIN_FILENO) < 0) return false;
  if (!command->capture) return true;
  return dup2(pipes[OUTPUT][WRITE_END], STDOUT_FILENO) >= 0 && dup2(pipes[ERROR][WRITE_END], STDERR_FILENO) >= 0;
}

/* Groups, then group, then user: once the user is gone, so is the right to change the rest. */
static bool drop_privileges(const Command *command, Step *step) {
  if (!command->drop) return true;
  *step = STEP_GROUPS;
  if (setgroups(command->group_count, command->groups) != 0) return false;
  *step = STEP_GID;
  if (setgid(command->gid) != 0) return false;
  *step = STEP_UID;
  return setuid(command->uid) == 0;
}

/* Every step up to the exec, which does not return. */
static Step become(Pipe *pipes, const Command *command) {
  Step step = STEP_STREAMS;
  default_signals();
  close_others_on_exec();
  if (!redirect(pipes, command) || !drop_privileges(command, &step)) return step;
  if (command->folder != NULL && chdir(command->folder) != 0) return STEP_FOLDER;
  execvpe(command->argv[0], command->argv, command->environment);
  return STEP_EXEC;
}

static _Noreturn void run_child(Pipe *pipes, const Command *command) {
  Failure failure;
  ssize_t written;
  if (command->capture) setpgid(0, 0);
  failure.step = become(pipes, command);
  failure.error = errno;
  written = write(pipes[REPORT][WRITE_END], &failure, sizeof failure);
  _exit(written == sizeof failure ? 127 : 126);
}

/* --- in the parent ------------------------------------------------------------------------------------------------ */

static int take(Pipe pipe, int end) {
  int fd = pipe[end];
  pipe[end] = -1;
  if (fd >= 0) fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* Waits for the exec; true when it failed. */
static bool read_failure(int report, Failure *failure) {
  ssize_t count;
  do count = read(report, failure, sizeof *failure);
  while (count < 0 && errno == EINTR);
  return count == sizeof *failure;
}

static void adopt(Child *child, pid_t pid, Pipe *pipes, const Command *command) {
  *child = CHILD_NONE;
  child->pid = pid;
  child->leads_group = command->capture;
  if (command->capture) setpgid(pid, pid); /* also here: whoever of the two comes first */
  child->watch = pidfd_open(pid, 0);
  child->input = take(pipes[INPUT], WRITE_END);
  child->output = take(pipes[OUTPUT], READ_END);
  child->error = take(pipes[ERROR], READ_END);
}

const char *child_start(Child *child, const Command *command) {
  Pipe pipes[PIPES];
  Failure failure;
  pid_t pid;
  if (!open_pipes(pipes, command)) return "open pipes for";
  pid = fork();
  if (pid == 0) run_child(pipes, command);
  if (pid < 0) return close_pipes(pipes), "start a process for";
  adopt(child, pid, pipes, command);
  child_close(&pipes[REPORT][WRITE_END]);
  if (!read_failure(pipes[REPORT][READ_END], &failure)) return close_pipes(pipes), NULL;
  close_pipes(pipes);
  child_release(child);
  errno = failure.error;
  return step_names[failure.step];
}

static bool reap(Child *child, int flags) {
  pid_t pid;
  do pid = wait4(child->pid, &child->status, flags, &child->usage);
  while (pid < 0 && errno == EINTR);
  if (pid != 0) child->pid = 0;
  return pid != 0;
}

bool child_ended(Child *child) {
  return child->pid == 0 || reap(child, WNOHANG);
}

void child_signal(const Child *child, int number) {
  if (child->pid != 0) kill(child->leads_group ? -child->pid : child->pid, number);
}

/* Five seconds to end by itself after SIGTERM. */
static void stop(Child *child) {
  static const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
  child_signal(child, SIGTERM);
  for (int i = 0; i < 500; i++) {
    if (child_ended(child)) return;
    nanosleep(&pause, NULL);
  }
  child_signal(child, SIGKILL);
  reap(child, 0);
}

void child_release(Child *child) {
  child_close(&child->input);
  child_close(&child->output);
  child_close(&child->error);
  if (!child_ended(child)) stop(child);
  child_close(&child->watch);
}
