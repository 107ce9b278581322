/* Log-linear histogram: see histogram.h. */
#include "histogram.h"
#include <string.h>

void histogram_clear(Histogram *h) { memset(h, 0, sizeof *h); }

static int bucket_of(uint64_t micros) {
  if (micros < 64) return (int)micros;
  int power = 63 - __builtin_clzll(micros);
  int index = (power - 5) * 64 + (int)((micros >> (power - 6)) & 63);
  return index < HISTOGRAM_BUCKETS ? index : HISTOGRAM_BUCKETS - 1;
}

static uint64_t upper_edge(int index) {
  if (index < 64) return (uint64_t)index;
  int power = index / 64 + 5;
  return ((uint64_t)64 + (uint64_t)(index & 63) + 1) << (power - 6);
}

void histogram_add(Histogram *h, uint64_t micros) {
  h->count++;
  if (micros > h->max) h->max = micros;
  h->buckets[bucket_of(micros)]++;
}

uint64_t histogram_quantile(const Histogram *h, double q) {
  uint64_t wanted = (uint64_t)(q * (double)h->count), seen = 0;
  if (wanted >= h->count && h->count > 0) wanted = h->count - 1;
  for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
    seen += h->buckets[i];
    if (seen > wanted) return upper_edge(i) < h->max ? upper_edge(i) : h->max;
  }
  return h->max;
}

void histogram_print(FILE *out, const char *name, const Histogram *h) {
  fprintf(out, "\"%s\":{\"count\":%llu,\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}", name, (unsigned long long)h->count,
          (double)histogram_quantile(h, 0.5) / 1e3, (double)histogram_quantile(h, 0.99) / 1e3, (double)h->max / 1e3);
}
