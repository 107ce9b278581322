/* HTTP and WebSocket carriers of FLV: see flv.h. */
#define _GNU_SOURCE
#include "flv.h"
#include "base.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STEP_FILE_HEADER, STEP_TAG_HEADER, STEP_BODY, STEP_BACK_POINTER };

void flv_reader_free(FlvReader *r) { free(r->body); }

/* Reads the response head; true once it is whole. */
static bool take_head(FlvReader *r, uint8_t byte) {
  r->head[r->head_bytes++] = (char)byte;
  if (r->head_bytes < 4 || memcmp(r->head + r->head_bytes - 4, "\r\n\r\n", 4) != 0) return false;
  r->head[r->head_bytes] = 0;
  if (strncmp(r->head + 8, " 101", 4) == 0) r->carry = CARRY_FRAMES;
  else if (strcasestr(r->head, "transfer-encoding: chunked")) r->carry = CARRY_CHUNKED;
  r->head_done = true;
  return true;
}

/* Feeds one byte of an HTTP chunk-size line (or the line end after a chunk). */
static void take_chunk_line(FlvReader *r, uint8_t byte) {
  if (byte != '\n') {
    if (r->carrier_bytes < 15 && byte != '\r') r->carrier[r->carrier_bytes++] = byte;
    return;
  }
  if (r->carrier_bytes == 0) return;
  r->carrier[r->carrier_bytes] = 0;
  r->carried = strtoull((char *)r->carrier, NULL, 16);
  r->carrier_bytes = 0;
}

/* Feeds one byte of a WebSocket frame header (servers do not mask). */
static void take_frame_header(FlvReader *r, uint8_t byte) {
  r->carrier[r->carrier_bytes++] = byte;
  if (r->carrier_bytes < 2) return;
  int short_length = r->carrier[1] & 0x7f, wanted = short_length == 126 ? 4 : short_length == 127 ? 10 : 2;
  if (r->carrier_bytes < wanted) return;
  uint64_t length = (uint64_t)short_length;
  if (wanted > 2) length = 0;
  for (int i = 2; i < wanted; i++) length = length << 8 | r->carrier[i];
  int opcode = r->carrier[0] & 0x0f;
  r->skip_carried = opcode != 0 && opcode != 2;
  r->carried = length;
  r->carrier_bytes = 0;
}

/* How many bytes the present step still wants, and where they go. */
static uint32_t step_length(const FlvReader *r) {
  switch (r->tag_step) {
    case STEP_FILE_HEADER: return 13;
    case STEP_TAG_HEADER: return 11;
    case STEP_BODY: return r->tag_length;
    default: return 4;
  }
}

static void next_step(FlvReader *r, bool *message, Message *out) {
  r->tag_bytes = 0;
  if (r->tag_step == STEP_TAG_HEADER) {
    r->tag_length = get_u24(r->tag_head + 1);
    if (r->capacity < r->tag_length) {
      r->body = realloc(r->body, r->tag_length);
      r->capacity = r->tag_length;
    }
  }
  if (r->tag_step == STEP_BACK_POINTER) {
    *message = true;
    *out = (Message){.type = r->tag_head[0], .timestamp = get_u24(r->tag_head + 4) | (uint32_t)r->tag_head[7] << 24,
                     .length = r->tag_length, .body = r->body};
    r->tag_step = STEP_TAG_HEADER;
  } else {
    r->tag_step++;
  }
}

/* Takes FLV bytes up to the end of one tag. */
static size_t take_flv(FlvReader *r, const uint8_t *bytes, size_t length, bool *message, Message *out) {
  size_t used = 0;
  while (used < length && !*message) {
    uint32_t wanted = step_length(r) - r->tag_bytes;
    size_t n = length - used < wanted ? length - used : wanted;
    uint8_t *to = r->tag_step == STEP_BODY ? r->body : r->tag_step == STEP_TAG_HEADER ? r->tag_head : NULL;
    if (to) memcpy(to + r->tag_bytes, bytes + used, n);
    used += n, r->tag_bytes += (uint32_t)n;
    while (r->tag_bytes == step_length(r) && !*message) next_step(r, message, out);
  }
  return used;
}

size_t flv_reader_take(FlvReader *r, const uint8_t *bytes, size_t length, bool *message, Message *out) {
  size_t used = 0;
  *message = false;
  while (used < length && !*message) {
    if (!r->head_done) {
      if (r->head_bytes >= sizeof r->head - 1) return 0;
      if (take_head(r, bytes[used++]) && strncmp(r->head + 8, " 200", 4) != 0 && r->carry != CARRY_FRAMES) return 0;
    } else if (r->carry == CARRY_RAW) {
      used += take_flv(r, bytes + used, length - used, message, out);
    } else if (r->carried == 0) {
      if (r->carry == CARRY_CHUNKED) take_chunk_line(r, bytes[used++]);
      else take_frame_header(r, bytes[used++]);
    } else {
      size_t n = length - used < r->carried ? length - used : (size_t)r->carried;
      if (!r->skip_carried) n = take_flv(r, bytes + used, n, message, out);
      used += n, r->carried -= n;
    }
  }
  return used;
}
