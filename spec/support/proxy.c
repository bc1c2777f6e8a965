/*
 * spec-proxy: stands between a client and a PostgreSQL server, counts what
 * passes, and on request delays it or cuts the connection.
 *
 *   spec-proxy --listen ADDRESS --server ADDRESS --report FILE
 *              [--delay MILLISECONDS] [--cut SIDE:WHEN:NUMBER[:TEXT]]
 *
 * ADDRESS is the path of a Unix socket or PORT on 127.0.0.1 (0 = any free one).
 * FILE gets the counts as JSON at the start, at every SIGUSR1 and at the end (SIGTERM).
 *
 * A round trip is a flight of bytes from the client that is followed by an
 * answer: what the client pays the network's latency for once. It is counted
 * when the answer begins. TLS hides the messages, so from an accepted
 * SSLRequest on only bytes and round trips are counted.
 *
 * --cut client:after:3 cuts right after the third message of any client has
 * been forwarded, server:before:1 instead of the first message of the server.
 * With a TEXT only messages that contain it are counted (a message must arrive
 * in one piece for that, as those of a client do). Messages are numbered over
 * all connections; one cut is made, what comes later passes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CLIENT, SERVER };                     /* who sends */
enum phase { STARTUP, TYPED, OPAQUE };       /* messages without a type byte, with one, not to be seen */
enum { MAX_PAIRS = 128, CHUNK = 65536, MAX_QUEUED = 1 << 20 };
enum { SSL_REQUEST = 80877103, GSS_REQUEST = 80877104, CANCEL_REQUEST = 80877102 };

typedef struct piece {                       /* bytes on their way */
  struct piece *next;
  double due;
  size_t size, sent;
  char bytes[];
} piece;

typedef struct {                             /* one direction of a connection */
  enum phase phase;
  unsigned char header[8];                   /* the beginning of the current message */
  size_t have;                               /* how much of the message has been seen */
  piece *first, *last;
  size_t queued;
  bool ended;                                /* the sender has closed, or the connection is cut */
  bool told;                                 /* and the receiver knows */
} stream;

typedef struct {
  int fd[2];                                 /* of the client, of the server */
  stream from[2];
  bool waiting;                              /* the client has sent something that is not answered yet */
  bool answer_byte;                          /* the next byte of the server answers an SSLRequest */
} pair;

static struct {
  long connections, open, round_trips, ready, cuts, reports;
  long messages[2], bytes[2];
} counts;

static struct {
  int side;
  bool after, armed;
  long number;
  const char *text;
} cut;

static pair *pairs[MAX_PAIRS];
static double delay;
static const char *report_path;
static int port;
static volatile sig_atomic_t want_report, want_end;

static void fail(const char *what) {
  fprintf(stderr, "spec-proxy: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(void) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.new", report_path);
  FILE *file = fopen(temporary, "w");
  if (!file) fail(temporary);
  fprintf(file,
          "{\"reports\": %ld, \"port\": %d, \"connections\": %ld, \"open\": %ld, \"round_trips\": %ld, \"ready\": %ld, "
          "\"cuts\": %ld, \"client_messages\": %ld, \"server_messages\": %ld, \"client_bytes\": %ld, "
          "\"server_bytes\": %ld}\n",
          ++counts.reports, port, counts.connections, counts.open, counts.round_trips, counts.ready, counts.cuts,
          counts.messages[CLIENT], counts.messages[SERVER], counts.bytes[CLIENT], counts.bytes[SERVER]);
  if (fclose(file) != 0 || rename(temporary, report_path) != 0) fail(report_path);
}

/* --- addresses --- */

static socklen_t address(const char *text, struct sockaddr_storage *result) {
  memset(result, 0, sizeof *result);
  if (text[0] == '/') {
    struct sockaddr_un *local = (struct sockaddr_un *)result;
    local->sun_family = AF_UNIX;
    if (strlen(text) >= sizeof local->sun_path) { errno = ENAMETOOLONG; fail(text); }
    strcpy(local->sun_path, text);
    return sizeof *local;
  }
  struct sockaddr_in *tcp = (struct sockaddr_in *)result;
  tcp->sin_family = AF_INET;
  tcp->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  tcp->sin_port = htons((uint16_t)atoi(text));
  return sizeof *tcp;
}

static int listen_at(const char *text) {
  struct sockaddr_storage where;
  socklen_t size = address(text, &where);
  int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&where, size) < 0 || listen(fd, 64) < 0) fail(text);
  if (where.ss_family == AF_INET && getsockname(fd, (struct sockaddr *)&where, &size) == 0)
    port = ntohs(((struct sockaddr_in *)&where)->sin_port);
  return fd;
}

static int connect_to(const char *text) {
  struct sockaddr_storage where;
  socklen_t size = address(text, &where);
  int fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&where, size) == 0) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
  }
  if (fd >= 0) close(fd);
  return -1;
}

/* --- connections --- */

static void open_pair(int client, const char *server) {
  int slot = 0;
  while (slot < MAX_PAIRS && pairs[slot]) slot++;
  int fd = slot < MAX_PAIRS ? connect_to(server) : -1;
  if (fd < 0) { close(client); return; }
  pair *p = calloc(1, sizeof *p);
  if (!p) fail("calloc");
  p->fd[CLIENT] = client;
  p->fd[SERVER] = fd;
  p->from[SERVER].phase = TYPED;
  pairs[slot] = p;
  counts.connections++;
  counts.open++;
}

static void close_pair(int slot) {
  pair *p = pairs[slot];
  for (int side = CLIENT; side <= SERVER; side++) {
    close(p->fd[side]);
    for (piece *next; p->from[side].first; p->from[side].first = next) {
      next = p->from[side].first->next;
      free(p->from[side].first);
    }
  }
  free(p);
  pairs[slot] = NULL;
  counts.open--;
}

static void forward(stream *s, const char *bytes, size_t size) {
  if (size == 0) return;
  piece *new = malloc(sizeof *new + size);
  if (!new) fail("malloc");
  *new = (piece){.due = now() + delay, .size = size};
  memcpy(new->bytes, bytes, size);
  if (s->last) s->last->next = new; else s->first = new;
  s->last = new;
  s->queued += size;
}

/* --- messages --- */

static uint32_t big_endian(const unsigned char *b) {
  return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void startup_done(pair *p) {
  uint32_t code = big_endian(p->from[CLIENT].header + 4);
  if (code == SSL_REQUEST || code == GSS_REQUEST) p->answer_byte = true;
  else p->from[CLIENT].phase = code == CANCEL_REQUEST ? OPAQUE : TYPED;
}

/* How many of the bytes belong to the current message; sets *done at its end. */
static size_t take(stream *s, const unsigned char *bytes, size_t size, bool *done) {
  size_t prefix = s->phase == TYPED ? 1 : 0, used = 0;
  *done = false;
  while (used < size) {
    if (s->have < sizeof s->header) s->header[s->have] = bytes[used];
    used++;
    s->have++;
    if (s->have < prefix + 4) continue;
    size_t total = prefix + big_endian(s->header + prefix);
    size_t step = total - s->have < size - used ? total - s->have : size - used;
    if (s->have >= sizeof s->header) { used += step; s->have += step; }
    if (s->have == total) { *done = true; s->have = 0; break; }
  }
  return used;
}

/* Whether the message that begins here is the one to cut at. */
static bool is_cut(int side, const char *bytes, size_t size) {
  if (!cut.armed || cut.side != side) return false;
  if (cut.text && !memmem(bytes, size, cut.text, strlen(cut.text))) return false;
  return --cut.number == 0;
}

/* Nothing passes any more: the client's side is closed at once, the server gets what was forwarded and then the end. */
static void cut_pair(pair *p) {
  cut.armed = false;
  counts.cuts++;
  p->from[CLIENT].ended = p->from[SERVER].ended = true;
}

static void count_flight(pair *p, int side) {
  if (side == CLIENT) p->waiting = true;
  else if (p->waiting) {
    p->waiting = false;
    counts.round_trips++;
  }
}

static void opaque(pair *p) {
  p->from[CLIENT].phase = p->from[SERVER].phase = OPAQUE;
}

/* The one byte that answers an SSLRequest. */
static void ssl_answer(pair *p, const char *bytes) {
  p->answer_byte = false;
  if (bytes[0] == 'S' || bytes[0] == 'G') opaque(p);
  forward(&p->from[SERVER], bytes, 1);
}

static void pass(pair *p, int side, const char *bytes, size_t size) {
  stream *s = &p->from[side];
  counts.bytes[side] += (long)size;
  count_flight(p, side);
  if (side == SERVER && p->answer_byte) {
    ssl_answer(p, bytes++);
    size--;
  }
  while (size > 0 && s->phase != OPAQUE) {
    bool first = s->have == 0, done, at_cut;
    size_t used = take(s, (const unsigned char *)bytes, size, &done);
    at_cut = first && is_cut(side, bytes, used);
    if (at_cut && !cut.after) { cut_pair(p); return; }
    forward(s, bytes, used);
    if (first) counts.messages[side]++;
    if (at_cut) { cut_pair(p); return; }
    if (done && s->phase == STARTUP) startup_done(p);
    if (done && side == SERVER && s->header[0] == 'Z') counts.ready++;
    bytes += used;
    size -= used;
  }
  forward(s, bytes, size);
}

/* --- bytes --- */

static void receive(pair *p, int side) {
  char buffer[CHUNK];
  ssize_t got = read(p->fd[side], buffer, sizeof buffer);
  if (got > 0) {
    if (!p->from[side].ended) pass(p, side, buffer, (size_t)got);
  } else if (got == 0 || errno != EAGAIN) p->from[side].ended = true;
}

/* Send what is due; false when the receiver is gone. */
static bool deliver(pair *p, int side) {
  stream *s = &p->from[side];
  int to = p->fd[1 - side];
  while (s->first && s->first->due <= now()) {
    piece *head = s->first;
    ssize_t sent = send(to, head->bytes + head->sent, head->size - head->sent, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    s->queued -= (size_t)sent;
    if ((head->sent += (size_t)sent) < head->size) return true;
    if (!(s->first = head->next)) s->last = NULL;
    free(head);
  }
  if (s->ended && !s->first && !s->told) {
    s->told = true;
    shutdown(to, SHUT_WR);
  }
  return true;
}

static bool finished(const pair *p) {
  return p->from[CLIENT].told && p->from[SERVER].told;
}

static void serve(int slot, const struct pollfd *ready) {
  pair *p = pairs[slot];
  bool alive = true;
  for (int side = CLIENT; side <= SERVER; side++)
    if (ready[side].revents & (POLLIN | POLLHUP | POLLERR)) receive(p, side);
  for (int side = CLIENT; side <= SERVER; side++) alive = deliver(p, side) && alive;
  if (!alive || finished(p)) close_pair(slot);
}

/* What to wait for on both sides of a pair; shortens *timeout to the next due piece. */
static void prepare(const pair *p, struct pollfd *fds, int *timeout) {
  for (int side = CLIENT; side <= SERVER; side++) {
    const stream *s = &p->from[side];
    fds[side] = (struct pollfd){.fd = p->fd[side]};
    if (!s->ended && s->queued < MAX_QUEUED) fds[side].events |= POLLIN;
    else if (s->ended) fds[side].fd = -1;
  }
  for (int side = CLIENT; side <= SERVER; side++) {
    const piece *head = p->from[side].first;
    if (!head) continue;
    double left = head->due - now();
    if (left <= 0) {
      fds[1 - side].fd = p->fd[1 - side];
      fds[1 - side].events |= POLLOUT;
    } else if ((int)(left * 1000) + 1 < *timeout) *timeout = (int)(left * 1000) + 1;
  }
}

static void run(int listener, const char *server) {
  struct pollfd fds[1 + 2 * MAX_PAIRS];
  int slots[MAX_PAIRS];
  while (!want_end) {
    int used = 0, timeout = 1000;
    fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (int i = 0; i < MAX_PAIRS; i++)
      if (pairs[i]) {
        prepare(pairs[i], &fds[1 + 2 * used], &timeout);
        slots[used++] = i;
      }
    int ready = poll(fds, (nfds_t)(1 + 2 * used), timeout);
    if (want_report) { want_report = 0; report(); }
    if (access(report_path, F_OK) != 0) exit(0);        /* the specs are gone, and their folder with them */
    if (ready < 0) continue;
    for (int i = 0; i < used; i++) serve(slots[i], &fds[1 + 2 * i]);
    int client = fds[0].revents & POLLIN ? accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    if (client >= 0) open_pair(client, server);
  }
}

/* --- the command line --- */

static void on_signal(int number) {
  if (number == SIGUSR1) want_report = 1; else want_end = 1;
}

static void parse_cut(char *text) {
  char *side = strtok(text, ":"), *when = strtok(NULL, ":"), *number = strtok(NULL, ":");
  if (!side || !when || !number) { errno = EINVAL; fail("--cut SIDE:WHEN:NUMBER[:TEXT]"); }
  cut.side = strcmp(side, "server") == 0 ? SERVER : CLIENT;
  cut.after = strcmp(when, "after") == 0;
  cut.number = atol(number);
  cut.text = strtok(NULL, "");
  cut.armed = true;
}

int main(int argc, char **argv) {
  const char *listen_address = NULL, *server = NULL;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--listen") == 0) listen_address = argv[i + 1];
    else if (strcmp(argv[i], "--server") == 0) server = argv[i + 1];
    else if (strcmp(argv[i], "--report") == 0) report_path = argv[i + 1];
    else if (strcmp(argv[i], "--delay") == 0) delay = atof(argv[i + 1]) / 1000;
    else if (strcmp(argv[i], "--cut") == 0) parse_cut(argv[i + 1]);
  }
  if (!listen_address || !server || !report_path) { errno = EINVAL; fail("--listen, --server and --report are needed"); }
  int listener = listen_at(listen_address);
  signal(SIGUSR1, on_signal);
  signal(SIGTERM, on_signal);
  report();
  run(listener, server);
  report();
  for (int i = 0; i < MAX_PAIRS; i++)
    if (pairs[i]) close_pair(i);
  return 0;
}
