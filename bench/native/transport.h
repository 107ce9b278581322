/* A TCP connection with or without TLS under one pair of calls. */
#ifndef BENCH_TRANSPORT_H
#define BENCH_TRANSPORT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
  int fd;
  void *tls; /* SSL *, or NULL */
} Transport;

/* Starts TLS on the transport; false when this build has none. */
bool transport_start_tls(Transport *t);
/* 1 done, 0 call again when readable, −1 failed. */
int transport_handshake(Transport *t);
/* > 0 bytes, 0 end, −1 nothing now, −2 failed. */
ssize_t transport_read(Transport *t, void *to, size_t length);
/* Throws away what has arrived without copying it (and, with TLS, without deciphering it). Results as transport_read. */
ssize_t transport_discard(Transport *t);
bool transport_write(Transport *t, const void *from, size_t length);
void transport_close(Transport *t);
#endif
