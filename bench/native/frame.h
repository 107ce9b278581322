/* Synthetic frames whose every byte follows from (kind, sequence, time, length), so that a player can compare exactly. */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Body of a video message: 5 bytes AVC tag header, u32 NAL length, 1 byte NAL header, stamp, filler.
 * Body of an audio message: 0xaf 0x01, stamp, filler.
 *
 * Stamp, 22 bytes; every number in 7-bit groups with the top bit set, so no start code can arise:
 *
 * | offset | field    | form      | meaning                                         |
 * | ------ | -------- | --------- | ----------------------------------------------- |
 * | 0      | magic    | 2 bytes   | 0xd5 0x9c                                       |
 * | 2      | sent     | 10 groups | CLOCK_MONOTONIC ns when handed to the socket    |
 * | 12     | sequence | 5 groups  | counts per track from 0                         |
 * | 17     | checksum | 5 groups  | CRC-32 of the whole body with this field zeroed |
 */
enum { STAMP_BYTES = 22, VIDEO_HEAD_BYTES = 10, AUDIO_HEAD_BYTES = 2 };
enum { FRAME_FPS = 30, FRAME_GOP = 60, KEY_BYTES = 40000, DELTA_BYTES = 3020, AUDIO_BYTES = 340 };

typedef struct {
  bool is_key, is_audio;
  uint64_t sent_ns;
  uint32_t sequence;
} FrameStamp;

void frame_init(void);
/* Size of the body of frame `sequence` of that track. */
size_t frame_size(bool is_audio, uint32_t sequence);
/* Writes the body; returns its length. */
size_t frame_write(uint8_t *out, bool is_audio, uint32_t sequence, uint64_t sent_ns);
typedef enum { FRAME_GOOD, FRAME_HEADER, FRAME_DAMAGED } FrameVerdict;
/* FRAME_HEADER: a sequence header (decoder set-up), no stamp. FRAME_DAMAGED: some byte differs from what was published. */
FrameVerdict frame_check(const uint8_t *body, size_t length, bool is_audio, FrameStamp *stamp);
/* The AVC (1280×720, High 3.1) and AAC (48 kHz stereo) sequence headers. */
size_t frame_sequence_header(uint8_t *out, bool is_audio);
#endif
