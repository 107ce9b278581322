/*
 * Publishers of synthetic 720p30 + AAC streams of about 1 Mbit/s, each frame stamped (frame.h). One JSON object a line on stdout.
 *
 *   pub --host H --port P --app A --name N [--publishers N] [--rate joins/s] [--cycles N --cycle-ms M]
 *
 * One publisher uses the name as it is; several append -0, -1 … With --cycles each publisher publishes for M ms, closes and
 * starts again, N times in all, then the program ends. Commands on stdin: report, quit.
 */
#define _GNU_SOURCE
#include "base.h"
#include "dialogue.h"
#include "frame.h"
#include "histogram.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 128, OUT_BYTES = 1 << 18, BLOCK_BYTES = KEY_BYTES + 256 };
static const double AUDIO_FPS = 46.875; /* 48 kHz, 1024 samples a frame */

typedef enum { PUB_CLOSED, PUB_CONNECTING, PUB_TALKING, PUB_LIVE } PubState;

typedef struct {
  Transport transport;
  PubState state;
  Dialogue dialogue;
  DialogueTarget target;
  char name[128];
  uint64_t start_ns;
  uint32_t sequence[2];
  uint8_t *out;
  size_t out_bytes;
} Pub;

typedef struct {
  const char *host;
  int port, count, opened, epoll, timer, live;
  uint64_t cycles, cycles_begun;
  double rate;
  uint64_t started_ns, cycle_ns, frames, bytes, blocked, dropped, lost, cycles_done;
  bool told, over;
  Pub *pubs;
  Histogram late, ready;
  uint64_t *opened_ns;
} Studio;

static void flush(Studio *s, Pub *p) {
  while (p->out_bytes > 0) {
    ssize_t n = send(p->transport.fd, p->out, p->out_bytes, MSG_NOSIGNAL);
    if (n <= 0) {
      s->blocked++;
      return;
    }
    memmove(p->out, p->out + n, p->out_bytes - (size_t)n);
    p->out_bytes -= (size_t)n;
  }
}

static void send_bytes(Studio *s, Pub *p, const uint8_t *from, size_t length) {
  s->bytes += length;
  if (p->out_bytes == 0) {
    ssize_t n = send(p->transport.fd, from, length, MSG_NOSIGNAL);
    if (n == (ssize_t)length) return;
    if (n > 0) from += n, length -= (size_t)n;
    s->blocked++;
  }
  if (p->out_bytes + length > OUT_BYTES) {
    s->dropped++;
    return;
  }
  memcpy(p->out + p->out_bytes, from, length);
  p->out_bytes += length;
}

static void open_pub(Studio *s, Pub *p) {
  free(p->out);
  char name[128];
  memcpy(name, p->name, sizeof name);
  DialogueTarget target = p->target;
  memset(p, 0, sizeof *p);
  memcpy(p->name, name, sizeof name);
  p->target = target;
  p->target.name = p->name;
  p->out = malloc(OUT_BYTES);
  s->opened_ns[p - s->pubs] = now_ns();
  p->transport.fd = tcp_connect(s->host, s->port);
  p->state = p->transport.fd < 0 ? PUB_CLOSED : PUB_CONNECTING;
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.u32 = (uint32_t)(p - s->pubs) + 2};
  epoll_ctl(s->epoll, EPOLL_CTL_ADD, p->transport.fd, &e);
}

static void close_pub(Studio *s, Pub *p) {
  if (p->state == PUB_LIVE) s->live--;
  p->state = PUB_CLOSED;
  dialogue_free(&p->dialogue);
  transport_close(&p->transport);
}

static void go_live(Studio *s, Pub *p) {
  uint8_t out[2048], body[128], *at = write_metadata(out, p->dialogue.stream_id);
  for (int track = 0; track < 2; track++) {
    size_t n = frame_sequence_header(body, track);
    at = write_message(at, track ? 4 : 6, track ? MSG_AUDIO : MSG_VIDEO, 0, p->dialogue.stream_id, body, n);
  }
  send_bytes(s, p, out, (size_t)(at - out));
  p->state = PUB_LIVE;
  s->live++;
  p->start_ns = now_ns();
  histogram_add(&s->ready, (p->start_ns - s->opened_ns[p - s->pubs]) / 1000);
  if (!s->told && s->live == s->count) {
    s->told = true;
    printf("{\"event\":\"live\",\"publishers\":%d,", s->live);
    histogram_print(stdout, "ready", &s->ready);
    printf("}\n");
  }
}

static uint64_t due_of(const Pub *p, int track) {
  return p->start_ns + (uint64_t)((double)p->sequence[track] * 1e9 / (track ? AUDIO_FPS : FRAME_FPS));
}

/* Sends every frame that is due; returns when the next one is. */
static uint64_t send_due(Studio *s, Pub *p, uint64_t now) {
  static uint8_t body[KEY_BYTES], message[BLOCK_BYTES];
  for (;;) {
    uint64_t video = due_of(p, 0), audio = due_of(p, 1);
    int track = audio < video;
    uint64_t due = track ? audio : video;
    if (due > now) return due;
    now = now_ns();
    size_t n = frame_write(body, track, p->sequence[track]++, now);
    uint32_t timestamp = (uint32_t)((due - p->start_ns) / 1000000);
    uint8_t *end = write_message(message, track ? 4 : 6, track ? MSG_AUDIO : MSG_VIDEO, timestamp, p->dialogue.stream_id, body, n);
    send_bytes(s, p, message, (size_t)(end - message));
    s->frames++;
    histogram_add(&s->late, (now - due) / 1000);
  }
}

static void lose(Studio *s, Pub *p) {
  if (s->lost++ < 3) fprintf(stderr, "publisher %s lost\n", p->name);
  close_pub(s, p);
}

static void read_pub(Studio *s, Pub *p) {
  static uint8_t bytes[1 << 16];
  ssize_t n = transport_read(&p->transport, bytes, sizeof bytes);
  if (n == 0 || n == -2) lose(s, p);
  for (ssize_t at = 0; at < n;) {
    bool message;
    Message m;
    size_t used = dialogue_take(&p->dialogue, &p->transport, &p->target, bytes + at, (size_t)(n - at), &message, &m);
    if (used == 0 || p->dialogue.state == DIALOGUE_REFUSED) {
      lose(s, p);
      return;
    }
    at += (ssize_t)used;
    if (p->state == PUB_TALKING && p->dialogue.state == DIALOGUE_RUNNING) go_live(s, p);
  }
}

static void serve_pub(Studio *s, Pub *p) {
  if (p->state == PUB_CONNECTING) {
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = (uint32_t)(p - s->pubs) + 2};
    epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->transport.fd, &e);
    p->state = PUB_TALKING;
    dialogue_start(&p->dialogue, &p->transport, true);
  } else if (p->state != PUB_CLOSED) {
    read_pub(s, p);
  }
}

/* With cycles: ends a publication that has lasted long enough, and starts the next in a place that is free. */
static void turn_cycle(Studio *s, Pub *p, uint64_t now) {
  if (p->state == PUB_LIVE && now - p->start_ns >= s->cycle_ns) {
    close_pub(s, p);
    s->cycles_done++;
  } else if (p->state == PUB_CLOSED && s->cycles_begun < s->cycles) {
    s->cycles_begun++;
    open_pub(s, p);
  }
  if (s->cycles_done + s->lost >= s->cycles) s->over = true;
}

static void pace(Studio *s) {
  uint64_t now = now_ns(), next = now + 50000000;
  uint64_t due = (uint64_t)((double)(now - s->started_ns) / 1e9 * s->rate) + 1;
  while (s->opened < s->count && (uint64_t)s->opened < due) open_pub(s, &s->pubs[s->opened++]);
  if (s->opened < s->count) next = now + 1000000;
  for (int i = 0; i < s->opened; i++) {
    Pub *p = &s->pubs[i];
    if (s->cycles > 0) turn_cycle(s, p, now);
    if (p->state != PUB_LIVE) continue;
    if (p->out_bytes > 0) flush(s, p);
    uint64_t at = send_due(s, p, now);
    if (at < next) next = at;
  }
  struct itimerspec t = {.it_value = {.tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000)}};
  timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

static void report(Studio *s) {
  printf("{\"event\":\"report\",\"live\":%d,\"frames\":%llu,\"bytes\":%llu,\"blocked\":%llu,\"dropped\":%llu,\"lost\":%llu,\"cycles\":%llu,", s->live,
         (unsigned long long)s->frames, (unsigned long long)s->bytes, (unsigned long long)s->blocked, (unsigned long long)s->dropped,
         (unsigned long long)s->lost, (unsigned long long)s->cycles_done);
  histogram_print(stdout, "late", &s->late);
  printf(",");
  histogram_print(stdout, "ready", &s->ready);
  printf("}\n");
  s->frames = s->bytes = s->blocked = s->dropped = 0;
  histogram_clear(&s->late);
}

static void obey(Studio *s) {
  char line[256];
  ssize_t n = read(0, line, sizeof line - 1);
  if (n <= 0) s->over = true;
  if (n <= 0) return;
  line[n] = 0;
  if (strstr(line, "report")) report(s);
  if (strstr(line, "quit")) s->over = true;
}

static void run(Studio *s) {
  struct epoll_event events[EVENTS], input = {.events = EPOLLIN, .data.u32 = 0}, tick = {.events = EPOLLIN, .data.u32 = 1};
  epoll_ctl(s->epoll, EPOLL_CTL_ADD, 0, &input);
  epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->timer, &tick);
  s->started_ns = now_ns();
  while (!s->over) {
    pace(s);
    int n = epoll_wait(s->epoll, events, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      uint64_t ignored;
      if (events[i].data.u32 == 0) obey(s);
      else if (events[i].data.u32 == 1) (void)!read(s->timer, &ignored, sizeof ignored);
      else serve_pub(s, &s->pubs[events[i].data.u32 - 2]);
    }
  }
  report(s);
}

int main(int argc, char **argv) {
  static Studio s;
  static char tc_url[300];
  frame_init();
  raise_descriptor_limit();
  setvbuf(stdout, NULL, _IOLBF, 0);
  const char *app = option_text(argc, argv, "app", "live"), *name = option_text(argc, argv, "name", "bench");
  s.host = option_text(argc, argv, "host", "127.0.0.1");
  s.port = (int)option_number(argc, argv, "port", 1935);
  s.count = (int)option_number(argc, argv, "publishers", 1);
  s.rate = option_number(argc, argv, "rate", 50);
  s.cycles = (uint64_t)option_number(argc, argv, "cycles", 0);
  s.cycles_begun = (uint64_t)s.count;
  s.cycle_ns = (uint64_t)(option_number(argc, argv, "cycle-ms", 200) * 1e6);
  snprintf(tc_url, sizeof tc_url, "rtmp://%s:%d/%s", s.host, s.port, app);
  s.pubs = calloc((size_t)s.count, sizeof *s.pubs);
  s.opened_ns = calloc((size_t)s.count, sizeof *s.opened_ns);
  for (int i = 0; i < s.count; i++) {
    Pub *p = &s.pubs[i];
    if (s.count == 1) snprintf(p->name, sizeof p->name, "%s", name);
    else snprintf(p->name, sizeof p->name, "%s-%d", name, i);
    p->target = (DialogueTarget){.app = app, .name = p->name, .tc_url = tc_url};
  }
  s.epoll = epoll_create1(EPOLL_CLOEXEC);
  s.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (!s.pubs || !s.opened_ns || s.epoll < 0 || s.timer < 0) die("pub");
  run(&s);
  return 0;
}
