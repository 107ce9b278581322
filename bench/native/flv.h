/* FLV over HTTP (raw or chunked) or over WebSocket frames, taken apart into tags. */
#ifndef BENCH_FLV_H
#define BENCH_FLV_H
#include "rtmp.h"

typedef enum { CARRY_RAW, CARRY_CHUNKED, CARRY_FRAMES } Carry;

typedef struct {
  Carry carry;
  bool head_done;
  char head[2048];
  size_t head_bytes;
  /* carrier: bytes left of the present HTTP chunk or WebSocket frame, and the header being read */
  uint64_t carried;
  uint8_t carrier[16];
  int carrier_bytes;
  bool skip_carried;
  /* tag under way */
  uint8_t tag_head[11];
  uint32_t tag_bytes, tag_length, capacity;
  int tag_step;
  uint8_t *body;
} FlvReader;

void flv_reader_free(FlvReader *r);
/* As dechunker_take: consumes some bytes, sets `*message` when a tag is whole. Returns 0 when the peer refused or sent nonsense. */
size_t flv_reader_take(FlvReader *r, const uint8_t *bytes, size_t length, bool *message, Message *out);
#endif
