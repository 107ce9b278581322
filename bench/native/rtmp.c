/* Chunks in and out, prebuilt AMF0 commands: see rtmp.h. */
#define _GNU_SOURCE
#include "rtmp.h"
#include "base.h"
#include <stdlib.h>
#include <string.h>

void dechunker_start(Dechunker *d) {
  memset(d, 0, sizeof *d);
  d->chunk_size = 128;
}

void dechunker_free(Dechunker *d) {
  for (int i = 0; i < RTMP_STREAMS; i++) free(d->streams[i].body);
  memset(d, 0, sizeof *d);
}

static ChunkStream *stream_of(Dechunker *d, uint32_t csid) {
  for (int i = 0; i < RTMP_STREAMS; i++) {
    if (d->streams[i].csid == csid) return &d->streams[i];
    if (d->streams[i].csid == 0) {
      d->streams[i].csid = csid;
      return &d->streams[i];
    }
  }
  return NULL;
}

static int basic_bytes(uint8_t first) { return (first & 0x3f) == 0 ? 2 : (first & 0x3f) == 1 ? 3 : 1; }

static uint32_t csid_of(const uint8_t *h) {
  uint32_t low = h[0] & 0x3fu;
  return low == 0 ? h[1] + 64u : low == 1 ? h[1] + 64u + 256u * h[2] : low;
}

/* How many header bytes are needed, as far as is known from those present; -1 when the table is full. */
static int header_wanted(Dechunker *d) {
  static const int sizes[] = {11, 7, 3, 0};
  int basic = basic_bytes(d->header[0]);
  if (d->header_bytes < basic) return basic;
  int format = d->header[0] >> 6, wanted = basic + sizes[format];
  if (d->header_bytes < wanted) return wanted;
  ChunkStream *s = stream_of(d, csid_of(d->header));
  if (!s) return -1;
  bool extended = format == 3 ? s->extended : get_u24(d->header + basic) == 0xffffff;
  return wanted + (extended ? 4 : 0);
}

static void apply_header(Dechunker *d) {
  int format = d->header[0] >> 6;
  const uint8_t *h = d->header + basic_bytes(d->header[0]);
  ChunkStream *s = stream_of(d, csid_of(d->header));
  if (format < 3) {
    uint32_t field = get_u24(h);
    s->extended = field == 0xffffff;
    if (s->extended) field = get_u32(d->header + d->header_bytes - 4);
    if (format < 2) s->length = get_u24(h + 3), s->type = h[6];
    s->timestamp = format == 0 ? field : s->timestamp + field;
    s->delta = field;
    s->received = 0;
  } else if (s->received == 0) {
    s->timestamp += s->delta;
  }
  if (s->capacity < s->length) {
    s->body = realloc(s->body, s->length);
    s->capacity = s->length;
  }
  uint32_t left = s->length - s->received;
  d->current = s;
  d->chunk_left = left < d->chunk_size ? left : d->chunk_size;
}

static void finish(Dechunker *d, bool *message, Message *out) {
  ChunkStream *s = d->current;
  *message = true;
  *out = (Message){.timestamp = s->timestamp, .length = s->length, .type = s->type, .body = s->body};
  s->received = 0;
  if (s->type == MSG_SET_CHUNK && s->length >= 4) d->chunk_size = get_u32(s->body) & 0x7fffffff;
  if (s->type == MSG_WINDOW && s->length >= 4) d->window = get_u32(s->body);
}

size_t dechunker_take(Dechunker *d, const uint8_t *bytes, size_t length, bool *message, Message *out) {
  size_t used = 0;
  *message = false;
  while (used < length) {
    if (!d->current) {
      d->header[d->header_bytes++] = bytes[used++];
      int wanted = header_wanted(d);
      if (wanted < 0) return 0;
      if (d->header_bytes < wanted) continue;
      apply_header(d);
      d->header_bytes = 0;
    } else {
      size_t n = length - used < d->chunk_left ? length - used : d->chunk_left;
      memcpy(d->current->body + d->current->received, bytes + used, n);
      used += n, d->current->received += (uint32_t)n, d->chunk_left -= (uint32_t)n;
    }
    if (!d->current || d->chunk_left > 0) continue;
    if (d->current->received == d->current->length) finish(d, message, out);
    d->current = NULL;
    if (*message) return used;
  }
  return used;
}

uint8_t *write_message(uint8_t *p, uint8_t csid, uint8_t type, uint32_t timestamp, uint32_t stream_id, const uint8_t *body, size_t length) {
  *p++ = csid;
  p = put_u24(p, timestamp);
  p = put_u24(p, (uint32_t)length);
  *p++ = type;
  *p++ = (uint8_t)stream_id, *p++ = (uint8_t)(stream_id >> 8), *p++ = (uint8_t)(stream_id >> 16), *p++ = (uint8_t)(stream_id >> 24);
  for (size_t at = 0; at < length; at += OUT_CHUNK_BYTES) {
    if (at > 0) *p++ = 0xc0 | csid;
    size_t n = length - at < OUT_CHUNK_BYTES ? length - at : OUT_CHUNK_BYTES;
    p = mempcpy(p, body + at, n);
  }
  return p;
}

uint8_t *write_control(uint8_t *p, uint8_t type, uint32_t value) {
  uint8_t body[4];
  put_u32(body, value);
  return write_message(p, 2, type, 0, 0, body, 4);
}

uint8_t *write_buffer_length(uint8_t *p, uint32_t stream_id, uint32_t millis) {
  uint8_t body[10] = {0, 3};
  put_u32(put_u32(body + 2, stream_id), millis);
  return write_message(p, 2, MSG_USER, 0, 0, body, sizeof body);
}

static uint8_t *amf_text(uint8_t *p, const char *text, bool marked) {
  size_t n = strlen(text);
  if (marked) *p++ = 2;
  *p++ = (uint8_t)(n >> 8), *p++ = (uint8_t)n;
  return mempcpy(p, text, n);
}

static uint8_t *amf_number(uint8_t *p, double value) {
  uint64_t bits;
  memcpy(&bits, &value, 8);
  *p++ = 0;
  return put_u32(put_u32(p, (uint32_t)(bits >> 32)), (uint32_t)bits);
}

static uint8_t *amf_end(uint8_t *p) { return mempcpy(p, "\0\0\x09", 3); }

static uint8_t *named_number(uint8_t *p, const char *name, double value) { return amf_number(amf_text(p, name, false), value); }
static uint8_t *named_text(uint8_t *p, const char *name, const char *value) { return amf_text(amf_text(p, name, false), value, true); }

uint8_t *write_connect(uint8_t *p, const char *app, const char *tc_url) {
  uint8_t body[1024], *b = amf_number(amf_text(body, "connect", true), 1);
  *b++ = 3;
  b = named_text(b, "app", app);
  b = named_text(b, "type", "nonprivate");
  b = named_text(b, "flashVer", "LNX 9,0,124,2");
  b = named_text(b, "tcUrl", tc_url);
  b = named_number(b, "capabilities", 15);
  b = named_number(b, "audioCodecs", 4071);
  b = named_number(b, "videoCodecs", 252);
  b = named_number(b, "objectEncoding", 0);
  b = amf_end(b);
  return write_message(p, 3, MSG_COMMAND, 0, 0, body, (size_t)(b - body));
}

uint8_t *write_create_stream(uint8_t *p, double transaction) {
  uint8_t body[64], *b = amf_number(amf_text(body, "createStream", true), transaction);
  *b++ = 5;
  return write_message(p, 3, MSG_COMMAND, 0, 0, body, (size_t)(b - body));
}

uint8_t *write_play(uint8_t *p, uint32_t stream_id, const char *name) {
  uint8_t body[512], *b = amf_number(amf_text(body, "play", true), 4);
  *b++ = 5;
  b = amf_number(amf_text(b, name, true), -2000);
  return write_message(p, 8, MSG_COMMAND, 0, stream_id, body, (size_t)(b - body));
}

uint8_t *write_publish(uint8_t *p, uint32_t stream_id, const char *name) {
  uint8_t body[512], *b = amf_number(amf_text(body, "publish", true), 5);
  *b++ = 5;
  b = amf_text(amf_text(b, name, true), "live", true);
  return write_message(p, 8, MSG_COMMAND, 0, stream_id, body, (size_t)(b - body));
}

uint8_t *write_metadata(uint8_t *p, uint32_t stream_id) {
  uint8_t body[512], *b = amf_text(amf_text(body, "@setDataFrame", true), "onMetaData", true);
  *b++ = 8;
  b = put_u32(b, 6);
  b = named_number(b, "width", 1280);
  b = named_number(b, "height", 720);
  b = named_number(b, "framerate", 30);
  b = named_number(b, "videocodecid", 7);
  b = named_number(b, "audiocodecid", 10);
  b = named_text(b, "encoder", "sluice-bench");
  b = amf_end(b);
  return write_message(p, 4, MSG_DATA, 0, stream_id, body, (size_t)(b - body));
}

bool is_command(const Message *m, const char *name) {
  size_t n = strlen(name);
  return m->type == MSG_COMMAND && m->length > n + 3 && m->body[2] == n && memcmp(m->body + 3, name, n) == 0;
}

bool body_holds(const Message *m, const char *text) { return m->length > 0 && memmem(m->body, m->length, text, strlen(text)) != NULL; }

double last_number(const Message *m) {
  if (m->length < 9 || m->body[m->length - 9] != 0) return 0;
  uint64_t bits = (uint64_t)get_u32(m->body + m->length - 8) << 32 | get_u32(m->body + m->length - 4);
  double value;
  memcpy(&value, &bits, 8);
  return value;
}
