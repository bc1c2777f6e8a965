/* Ctrl-C. The handler only sets a flag and arms a debug hook, as lua.c does: running Lua code meets the hook, a wait
   meets the flag (rt_poll), and both raise {kind = "interrupted"}, so that what was opened gets closed on the way out.
   A second signal means that this takes too long: the process ends at once and the server rolls back.

   Hooks belong to one coroutine. Code that loops for ever inside a coroutine, without waiting for anything, is only
   ended by the second signal. */

#include "rt.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130 };

static lua_State *interruptible;
static volatile sig_atomic_t pending; /* a signal came and nobody consumed it */
static volatile sig_atomic_t seen;    /* a signal came */

static void disarm(void) {
  if (interruptible != NULL) lua_sethook(interruptible, NULL, 0, 0);
}

static void hook(lua_State *L, lua_Debug *record) {
  (void)record;
  lua_sethook(L, NULL, 0, 0); /* a coroutine started meanwhile has inherited the hook */
  if (rt_interrupted()) rt_raise_interrupted(L);
}

static void on_signal(int number) {
  (void)number;
  if (seen) _exit(EXIT_INTERRUPTED);
  seen = 1;
  pending = 1;
  lua_sethook(interruptible, hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

bool rt_interrupted(void) {
  return pending != 0;
}

void rt_interrupt_clear(void) {
  pending = 0;
  disarm();
}

void rt_interrupt_reset(void) {
  rt_interrupt_clear();
  seen = 0;
}

void rt_catch_signals(lua_State *L) {
  struct sigaction action = {.sa_handler = on_signal};
  interruptible = L;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
}

/* The time left until `deadline` in `left`; NULL, which ppoll takes as "for ever", when there is none. */
static struct timespec *until(double deadline, struct timespec *left) {
  double seconds = deadline - rt_clock();
  if (seconds > 1e8) return NULL;
  if (seconds < 0) seconds = 0;
  left->tv_sec = (time_t)seconds;
  left->tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
  return left;
}

/* The signals stay blocked from the look at the flag until ppoll sleeps, so none can slip in between. */
int rt_poll(struct pollfd *fds, nfds_t count, double deadline) {
  sigset_t blocked, before;
  struct timespec left;
  int ready, failure;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  do {
    if (rt_interrupted()) {
      ready = -1;
      errno = EINTR;
    } else {
      ready = ppoll(fds, count, until(deadline, &left), &before);
    }
  } while (ready < 0 && errno == EINTR && !rt_interrupted());
  failure = errno;
  sigprocmask(SIG_SETMASK, &before, NULL);
  errno = failure;
  return ready;
}
