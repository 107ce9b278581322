/* Synthetic AVC and AAC frames: see frame.h. */
#include "frame.h"
#include "base.h"
#include <string.h>

enum { POOL_BYTES = 1 << 17 };
static uint8_t pool[POOL_BYTES];
static uint32_t crc_table[256];

void frame_init(void) {
  uint64_t x = 0x5eed5eed5eed5eedu;
  for (int i = 0; i < POOL_BYTES; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    pool[i] = (uint8_t)(x >> 32) | 0x80;
  }
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    crc_table[i] = c;
  }
}

static uint32_t crc_of(const uint8_t *p, size_t n) {
  uint32_t c = 0xffffffffu;
  while (n--) c = crc_table[(c ^ *p++) & 0xff] ^ (c >> 8);
  return ~c;
}

static void put_groups(uint8_t *p, int groups, uint64_t v) {
  for (int i = groups - 1; i >= 0; i--, v >>= 7) p[i] = 0x80 | (uint8_t)(v & 0x7f);
}

static uint64_t get_groups(const uint8_t *p, int groups) {
  uint64_t v = 0;
  for (int i = 0; i < groups; i++) v = v << 7 | (p[i] & 0x7f);
  return v;
}

size_t frame_size(bool is_audio, uint32_t sequence) {
  if (is_audio) return AUDIO_BYTES;
  return sequence % FRAME_GOP == 0 ? KEY_BYTES : DELTA_BYTES;
}

size_t frame_write(uint8_t *out, bool is_audio, uint32_t sequence, uint64_t sent_ns) {
  size_t size = frame_size(is_audio, sequence), head = is_audio ? AUDIO_HEAD_BYTES : VIDEO_HEAD_BYTES;
  if (is_audio) {
    out[0] = 0xaf, out[1] = 1;
  } else {
    bool is_key = sequence % FRAME_GOP == 0;
    out[0] = is_key ? 0x17 : 0x27, out[1] = 1, out[2] = out[3] = out[4] = 0;
    put_u32(out + 5, (uint32_t)(size - 9));
    out[9] = is_key ? 0x65 : 0x41;
  }
  uint8_t *stamp = out + head;
  stamp[0] = 0xd5, stamp[1] = 0x9c;
  put_groups(stamp + 2, 10, sent_ns);
  put_groups(stamp + 12, 5, sequence);
  memset(stamp + 17, 0, 5);
  size_t filler = size - head - STAMP_BYTES;
  memcpy(stamp + STAMP_BYTES, pool + (sequence * 7919u) % (POOL_BYTES - KEY_BYTES), filler);
  put_groups(stamp + 17, 5, crc_of(out, size));
  return size;
}

FrameVerdict frame_check(const uint8_t *body, size_t length, bool is_audio, FrameStamp *stamp) {
  uint8_t wanted[KEY_BYTES];
  size_t head = is_audio ? AUDIO_HEAD_BYTES : VIDEO_HEAD_BYTES;
  if (length >= 2 && body[1] == 0) return FRAME_HEADER;
  if (length < head + STAMP_BYTES) return FRAME_DAMAGED;
  stamp->is_audio = is_audio;
  stamp->is_key = !is_audio && body[0] >> 4 == 1;
  stamp->sent_ns = get_groups(body + head + 2, 10);
  stamp->sequence = (uint32_t)get_groups(body + head + 12, 5);
  if (frame_size(is_audio, stamp->sequence) != length) return FRAME_DAMAGED;
  frame_write(wanted, is_audio, stamp->sequence, stamp->sent_ns);
  return memcmp(wanted, body, length) == 0 ? FRAME_GOOD : FRAME_DAMAGED;
}

size_t frame_sequence_header(uint8_t *out, bool is_audio) {
  static const uint8_t aac[] = {0xaf, 0, 0x11, 0x90};
  static const uint8_t avc[] = {0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 26, 0x67, 0x64, 0, 0x1f, 0xac, 0xd9, 0x40,
                                0x50, 5, 0xbb, 1, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0xc0, 0xf1, 0x83, 0x19, 0x60,
                                1, 0, 6, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0};
  memcpy(out, is_audio ? aac : avc, is_audio ? sizeof aac : sizeof avc);
  return is_audio ? sizeof aac : sizeof avc;
}
