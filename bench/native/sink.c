/*
 * Many players on one core. Commands on stdin, one a line; answers on stdout, one JSON object a line.
 *
 *   sink --protocol rtmp|http|ws|raw --host H --port P --app A --name N --players N --rate joins/s
 *        [--tls 1] [--checked-every 50] [--checked-least 20] [--stall-ms 1000] [--buffer-ms 3000] [--hold-ms 0]
 *   mark      starts an interval: counters and latency from zero
 *   report    counters since mark
 *   stall N   N players that only discard stop reading;  wake: they read again
 *   grow N    N players in all
 *   quit
 * With --hold-ms each player leaves that long after its first key frame and its place is taken again (churn).
 */
#define _GNU_SOURCE
#include "base.h"
#include "player.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 512, MOST_PLAYERS = 16000 };

typedef struct {
  PlayTarget target;
  Player *players;
  int count, opened, epoll, checked_every, stalled;
  double rate;
  uint64_t stall_ns, hold_ns, started_ns, joins_started, mark_ns;
  bool measuring, told_joined, over;
  Tally tally;
} Sink;

static void watch(Sink *s, int index, int operation, uint32_t events) {
  struct epoll_event e = {.events = events, .data.u32 = (uint32_t)index + 1};
  epoll_ctl(s->epoll, operation, s->players[index].transport.fd, &e);
}

static void open_player(Sink *s, int index) {
  bool checked = index % s->checked_every == 0;
  s->joins_started++;
  if (player_open(&s->players[index], &s->target, checked)) watch(s, index, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
  else s->tally.lost++;
}

/* Opens as many as the rate allows by now; with churn, frees places first. */
static void join_more(Sink *s, uint64_t now) {
  uint64_t due = (uint64_t)((double)(now - s->started_ns) / 1e9 * s->rate) + 1;
  while (s->opened < s->count && s->joins_started < due) open_player(s, s->opened++);
  if (s->hold_ns == 0 || s->opened < s->count) return;
  for (int i = 0; i < s->count && s->joins_started < due; i++) {
    Player *p = &s->players[i];
    if (p->state != PLAYER_PLAYING || now - p->keyed_ns < s->hold_ns) continue;
    player_close(p);
    open_player(s, i);
  }
}

static int playing(const Sink *s) {
  int n = 0;
  for (int i = 0; i < s->opened; i++) n += s->players[i].state == PLAYER_PLAYING;
  return n;
}

static void tell_joined(Sink *s) {
  if (s->told_joined || s->opened < s->count || s->tally.joined + s->tally.lost < (uint64_t)s->count) return;
  s->told_joined = true;
  printf("{\"event\":\"joined\",\"players\":%d,\"lost\":%llu,\"refused\":%llu,", playing(s), (unsigned long long)s->tally.lost,
         (unsigned long long)s->tally.refused);
  histogram_print(stdout, "join", &s->tally.join);
  printf(",");
  histogram_print(stdout, "play", &s->tally.play);
  printf("}\n");
}

static void mark(Sink *s) {
  memset(&s->tally, 0, sizeof s->tally);
  s->mark_ns = now_ns();
  s->measuring = true;
  for (int i = 0; i < s->opened; i++) s->players[i].bytes_at_mark = s->players[i].bytes, s->players[i].last_ns = s->mark_ns;
  printf("{\"event\":\"marked\"}\n");
}

/* Players that have been silent up to now count as stalled too. */
static void count_silent(Sink *s, uint64_t now) {
  for (int i = 0; i < s->opened; i++) {
    Player *p = &s->players[i];
    if (p->state != PLAYER_PLAYING || p->stalled || now < p->last_ns) continue;
    uint64_t gap = now - p->last_ns;
    if (gap > s->tally.max_gap_ns) s->tally.max_gap_ns = gap;
    if (gap > s->stall_ns) s->tally.stalls++;
  }
}

static void report(Sink *s) {
  uint64_t total = 0, least = UINT64_MAX, most = 0, now = now_ns();
  Tally *t = &s->tally;
  count_silent(s, now);
  for (int i = 0; i < s->opened; i++) {
    Player *p = &s->players[i];
    if (p->state != PLAYER_PLAYING || p->stalled) continue;
    uint64_t got = p->bytes - (p->bytes_at_mark < p->bytes ? p->bytes_at_mark : p->bytes);
    total += got;
    if (got < least) least = got;
    if (got > most) most = got;
  }
  printf("{\"event\":\"report\",\"seconds\":%.4f,\"players\":%d,\"bytes\":%llu,\"leastBytes\":%llu,\"mostBytes\":%llu,", (double)(now - s->mark_ns) / 1e9,
         playing(s), (unsigned long long)total, (unsigned long long)(least == UINT64_MAX ? 0 : least), (unsigned long long)most);
  printf("\"frames\":%llu,\"damaged\":%llu,\"holes\":%llu,\"backwards\":%llu,", (unsigned long long)t->frames, (unsigned long long)t->damaged,
         (unsigned long long)t->holes, (unsigned long long)t->backwards);
  printf("\"stalls\":%llu,\"maxGapMs\":%.1f,\"lost\":%llu,\"refused\":%llu,\"joins\":%llu,", (unsigned long long)t->stalls, (double)t->max_gap_ns / 1e6,
         (unsigned long long)t->lost, (unsigned long long)t->refused, (unsigned long long)t->joined);
  histogram_print(stdout, "latency", &t->latency);
  printf(",");
  histogram_print(stdout, "join", &t->join);
  printf(",");
  histogram_print(stdout, "play", &t->play);
  printf("}\n");
}

/* Stops (or takes up) reading on `count` players that only discard, last ones first. */
static void set_stalled(Sink *s, int count, bool stalled) {
  for (int i = s->opened - 1; i >= 0 && count > 0; i--) {
    Player *p = &s->players[i];
    if (p->state != PLAYER_PLAYING || p->checked || p->stalled == stalled) continue;
    p->stalled = stalled;
    watch(s, i, stalled ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, EPOLLIN);
    count--;
  }
}

static void obey(Sink *s) {
  static char line[4096];
  static size_t held;
  ssize_t n = read(0, line + held, sizeof line - held - 1);
  if (n <= 0) s->over = true;
  if (n <= 0) return;
  held += (size_t)n;
  line[held] = 0;
  for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
    *end = 0;
    if (strcmp(line, "mark") == 0) mark(s);
    else if (strcmp(line, "report") == 0) report(s);
    else if (strcmp(line, "quit") == 0) s->over = true;
    else if (strcmp(line, "wake") == 0) set_stalled(s, s->count, false);
    else if (strncmp(line, "stall ", 6) == 0) set_stalled(s, atoi(line + 6), true);
    else if (strncmp(line, "grow ", 5) == 0) {
      int wanted = atoi(line + 5);
      if (wanted > s->count && wanted <= MOST_PLAYERS) {
        s->count = wanted;
        s->told_joined = false;
        s->started_ns = now_ns() - (uint64_t)((double)s->joins_started / s->rate * 1e9);
      }
    }
    held -= (size_t)(end + 1 - line);
    memmove(line, end + 1, held + 1);
  }
}

static void serve_event(Sink *s, const struct epoll_event *e, uint64_t now) {
  if (e->data.u32 == 0) {
    obey(s);
    return;
  }
  int index = (int)e->data.u32 - 1;
  Player *p = &s->players[index];
  if (p->state == PLAYER_CONNECTING) {
    watch(s, index, EPOLL_CTL_MOD, EPOLLIN);
    player_advance(p, &s->target, &s->tally);
  } else if (p->state == PLAYER_SECURING) {
    player_advance(p, &s->target, &s->tally);
  }
  if (p->state >= PLAYER_JOINING && p->state != PLAYER_LOST && (e->events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
    player_read(p, &s->target, &s->tally, now, s->stall_ns, s->measuring);
}

static void run(Sink *s) {
  struct epoll_event events[EVENTS], input = {.events = EPOLLIN, .data.u32 = 0};
  epoll_ctl(s->epoll, EPOLL_CTL_ADD, 0, &input);
  s->started_ns = now_ns();
  while (!s->over) {
    bool joining = s->opened < s->count || s->hold_ns > 0;
    int n = epoll_wait(s->epoll, events, EVENTS, joining ? 1 : -1);
    uint64_t now = now_ns();
    for (int i = 0; i < n; i++) serve_event(s, &events[i], now);
    if (joining) join_more(s, now);
    tell_joined(s);
  }
}

static Protocol protocol_of(const char *name) {
  if (strcmp(name, "http") == 0) return PROTOCOL_HTTP;
  if (strcmp(name, "ws") == 0) return PROTOCOL_WS;
  return strcmp(name, "raw") == 0 ? PROTOCOL_RAW : PROTOCOL_RTMP;
}

int main(int argc, char **argv) {
  static Sink s;
  static char tc_url[300], path[300];
  frame_init();
  raise_descriptor_limit();
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *app = option_text(argc, argv, "app", "live"), *name = option_text(argc, argv, "name", "bench");
  s.target.host = option_text(argc, argv, "host", "127.0.0.1");
  s.target.port = (int)option_number(argc, argv, "port", 1935);
  s.target.protocol = protocol_of(option_text(argc, argv, "protocol", "rtmp"));
  s.target.tls = option_number(argc, argv, "tls", 0) != 0;
  snprintf(tc_url, sizeof tc_url, "rtmp://%s:%d/%s", s.target.host, s.target.port, app);
  snprintf(path, sizeof path, "/%s/%s.flv", app, name);
  s.target.path = path;
  s.target.target = (DialogueTarget){.app = app, .name = name, .tc_url = tc_url, .buffer_ms = (uint32_t)option_number(argc, argv, "buffer-ms", 3000)};
  s.count = (int)option_number(argc, argv, "players", 1);
  s.rate = option_number(argc, argv, "rate", 500);
  s.hold_ns = (uint64_t)(option_number(argc, argv, "hold-ms", 0) * 1e6);
  s.stall_ns = (uint64_t)(option_number(argc, argv, "stall-ms", 1000) * 1e6);
  int least = (int)option_number(argc, argv, "checked-least", 20), every = (int)option_number(argc, argv, "checked-every", 50);
  s.checked_every = s.count / every >= least ? every : s.count / least > 0 ? s.count / least : 1;
  s.players = calloc(MOST_PLAYERS, sizeof *s.players);
  s.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (!s.players || s.epoll < 0) die("sink");
  run(&s);
  return 0;
}
