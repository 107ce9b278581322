/* What every bench program needs: the clock, option parsing, big-endian numbers, descriptor limits. */
#ifndef BENCH_BASE_H
#define BENCH_BASE_H
#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC in nanoseconds: the same for every process of one machine, so stamps compare. */
uint64_t now_ns(void);

/* The value of `--name value`; `fallback` when absent. */
const char *option_text(int argc, char **argv, const char *name, const char *fallback);
double option_number(int argc, char **argv, const char *name, double fallback);

/* Raises the soft descriptor limit to the hard one; returns it. */
long raise_descriptor_limit(void);

/* Ends the program with a message on stderr. */
void die(const char *what);

/* A non-blocking TCP socket with TCP_NODELAY, connecting to 127.0.0.0/8 or any IPv4 address. */
int tcp_connect(const char *host, int port);
/* A listening, non-blocking TCP socket on 127.0.0.1; port 0 means any; the port is written back. */
int tcp_listen(int *port);

static inline uint32_t get_u24(const uint8_t *p) { return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]; }
static inline uint32_t get_u32(const uint8_t *p) { return (uint32_t)p[0] << 24 | get_u24(p + 1); }
static inline uint8_t *put_u24(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 16); p[1] = (uint8_t)(v >> 8); p[2] = (uint8_t)v; return p + 3; }
static inline uint8_t *put_u32(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 24); return put_u24(p + 1, v & 0xffffff); }
#endif
