/* A latency histogram in microseconds with a relative error below 1.6 %: 64 steps per power of two. */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H
#include <stdint.h>
#include <stdio.h>

enum { HISTOGRAM_BUCKETS = 64 * 34 };
typedef struct {
  uint64_t count, max;
  uint32_t buckets[HISTOGRAM_BUCKETS];
} Histogram;

void histogram_clear(Histogram *h);
void histogram_add(Histogram *h, uint64_t micros);
/* Upper edge of the bucket that holds quantile q (0…1), in microseconds; 0 when empty. */
uint64_t histogram_quantile(const Histogram *h, double q);
/* Writes `"name":{"count":…,"p50":…,"p99":…,"max":…}` in milliseconds. */
void histogram_print(FILE *out, const char *name, const Histogram *h);
#endif
