/* Ctrl-C. The handler only sets a flag and arms a debug hook, as lua.c does: running Lua code meets the hook, a wait
   meets the flag (rt_poll), and both raise {kind = "interrupted"}, so that what was opened gets closed on the way out.
   A second signal means that this takes too long: what the server is doing for us is cancelled, the process ends at
   once, and the server rolls back.

   The hook is called where a function is called, a line begins or a loop goes back: not where a function returns, so
   that what it has opened (local copy <close> = conn:copy_in(...)) is in its variable before anything raises.

   Hooks belong to one coroutine. Code that loops for ever inside a coroutine, without waiting for anything, is only
   ended by the second signal. */

#include "rt.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_INTERRUPTED = 130, LAST_SECONDS = 2 };

static lua_State *interruptible;
static volatile sig_atomic_t pending; /* a signal came and nobody consumed it */
static volatile sig_atomic_t seen;    /* a signal came */
static void (*last_act)(void);

static void disarm(void) {
  if (interruptible != NULL) lua_sethook(interruptible, NULL, 0, 0);
}

static void hook(lua_State *L, lua_Debug *record) {
  (void)record;
  lua_sethook(L, NULL, 0, 0); /* a coroutine started meanwhile has inherited the hook */
  if (rt_interrupted()) rt_raise_interrupted(L);
}

static void leave(int number) {
  (void)number;
  _exit(EXIT_INTERRUPTED);
}

static void catch(int number, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler};
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaction(number, &action, NULL);
}

/* The last act may have to wait for the network: not for long, and not through a third signal. */
static void end(void) {
  static const int signals[] = {SIGINT, SIGTERM, SIGALRM};
  sigset_t all;
  sigemptyset(&all);
  for (int i = 0; i < 3; i++) {
    catch(signals[i], leave);
    sigaddset(&all, signals[i]);
  }
  alarm(LAST_SECONDS);
  sigprocmask(SIG_UNBLOCK, &all, NULL);
  if (last_act != NULL) last_act();
  _exit(EXIT_INTERRUPTED);
}

static void on_signal(int number) {
  (void)number;
  if (seen) end();
  seen = 1;
  pending = 1;
  lua_sethook(interruptible, hook, LUA_MASKCALL | LUA_MASKLINE, 0);
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
  interruptible = L;
  catch(SIGINT, on_signal);
  catch(SIGTERM, on_signal);
  catch(SIGPIPE, SIG_IGN);
}

void rt_last_act(void (*act)(void)) {
  last_act = act;
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
