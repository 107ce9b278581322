/*
 * The floor in C: every player that connects gets the same bytes at a fixed number of writes a second, and nothing else happens.
 *
 *   c-loop [--port 0] [--writes 10] [--bytes-per-second 125000] [--slices 1] [--seconds 0]
 *
 * Slices cut the players into groups whose writes are spread over the period, as the server does with large cohorts.
 * Ends after --seconds (0: when stdin closes); prints its own CPU seconds and bytes then.
 */
#define _GNU_SOURCE
#include "base.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { MOST = 16000 };

typedef struct {
  int players[MOST], count, slices;
  size_t write_bytes;
  uint8_t *bytes;
  uint64_t sent, refused, tick;
} Loop;

static void accept_all(Loop *l, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    if (fd < 0) return;
    if (l->count == MOST) close(fd);
    else setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), l->players[l->count++] = fd;
  }
}

/* One slice of the players gets its write. */
static void write_slice(Loop *l) {
  uint64_t slice = l->tick++ % (uint64_t)l->slices;
  for (int i = (int)slice; i < l->count; i += l->slices) {
    ssize_t n = send(l->players[i], l->bytes, l->write_bytes, MSG_NOSIGNAL);
    if (n > 0) l->sent += (uint64_t)n;
    else if (errno == EAGAIN) l->refused++;
    else {
      close(l->players[i]);
      l->players[i] = l->players[--l->count];
    }
  }
}

static double cpu_seconds(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  static Loop l;
  double writes = option_number(argc, argv, "writes", 10), seconds = option_number(argc, argv, "seconds", 0);
  int port = (int)option_number(argc, argv, "port", 0), epoll = epoll_create1(EPOLL_CLOEXEC), listener = tcp_listen(&port);
  raise_descriptor_limit();
  l.slices = (int)option_number(argc, argv, "slices", 1);
  l.write_bytes = (size_t)(option_number(argc, argv, "bytes-per-second", 125000) / writes);
  l.bytes = malloc(l.write_bytes);
  memset(l.bytes, 0x5a, l.write_bytes);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  uint64_t period = (uint64_t)(1e9 / writes / l.slices);
  struct timespec each = {.tv_sec = (time_t)(period / 1000000000), .tv_nsec = (long)(period % 1000000000)};
  timerfd_settime(timer, 0, &(struct itimerspec){.it_interval = each, .it_value = each}, NULL);
  int fds[] = {0, listener, timer};
  for (int i = 0; i < 3; i++) epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &(struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]});
  printf("{\"event\":\"ready\",\"port\":%d}\n", port);
  fflush(stdout);
  uint64_t begun = now_ns(), due;
  bool over = false;
  while (!over) {
    struct epoll_event events[8];
    int n = epoll_wait(epoll, events, 8, 100);
    for (int i = 0; i < n; i++) {
      if (events[i].data.fd == listener) accept_all(&l, listener);
      else if (events[i].data.fd == 0) over = read(0, &due, sizeof due) <= 0;
      else if (read(timer, &due, sizeof due) == sizeof due)
        while (due-- > 0) write_slice(&l);
    }
    if (seconds > 0 && (double)(now_ns() - begun) / 1e9 > seconds) over = true;
  }
  printf("{\"event\":\"end\",\"cpuSeconds\":%.3f,\"bytes\":%llu,\"refused\":%llu}\n", cpu_seconds(), (unsigned long long)l.sent, (unsigned long long)l.refused);
  return 0;
}
