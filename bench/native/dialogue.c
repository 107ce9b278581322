/* The RTMP client dialogue: see dialogue.h. */
#include "dialogue.h"
#include "base.h"
#include <stdlib.h>
#include <string.h>

enum { ANSWER_BYTES = 1 + 2 * HANDSHAKE_BYTES };

void dialogue_start(Dialogue *d, Transport *t, bool publishes) {
  uint8_t hello[1 + HANDSHAKE_BYTES];
  memset(d, 0, sizeof *d);
  dechunker_start(&d->chunks);
  d->publishes = publishes;
  d->handshake = malloc(ANSWER_BYTES);
  hello[0] = 3;
  memset(hello + 1, 0, 8);
  for (int i = 9; i <= HANDSHAKE_BYTES; i++) hello[i] = (uint8_t)(i * 37);
  transport_write(t, hello, sizeof hello);
}

void dialogue_free(Dialogue *d) {
  free(d->handshake);
  d->handshake = NULL;
  dechunker_free(&d->chunks);
}

static size_t take_handshake(Dialogue *d, Transport *t, const DialogueTarget *target, const uint8_t *bytes, size_t length) {
  size_t wanted = ANSWER_BYTES - d->handshake_bytes, n = length < wanted ? length : wanted;
  memcpy(d->handshake + d->handshake_bytes, bytes, n);
  d->handshake_bytes += n;
  if (d->handshake_bytes < ANSWER_BYTES) return n;
  uint8_t out[HANDSHAKE_BYTES + 2048], *p = out;
  memcpy(p, d->handshake + 1, HANDSHAKE_BYTES);
  p += HANDSHAKE_BYTES;
  p = write_control(p, MSG_SET_CHUNK, OUT_CHUNK_BYTES);
  p = write_connect(p, target->app, target->tc_url);
  transport_write(t, out, (size_t)(p - out));
  free(d->handshake);
  d->handshake = NULL;
  d->state = DIALOGUE_CONNECT;
  return n;
}

static void ask_stream(Dialogue *d, Transport *t, const DialogueTarget *target, const Message *m) {
  uint8_t out[1024], *p = out;
  d->stream_id = (uint32_t)last_number(m);
  if (d->publishes) {
    p = write_publish(p, d->stream_id, target->name);
  } else {
    p = write_play(p, d->stream_id, target->name);
    p = write_buffer_length(p, d->stream_id, target->buffer_ms);
  }
  d->asked_ns = now_ns();
  transport_write(t, out, (size_t)(p - out));
  d->state = DIALOGUE_START;
}

static void answer_command(Dialogue *d, Transport *t, const DialogueTarget *target, const Message *m) {
  uint8_t out[256];
  if (is_command(m, "_error") || body_holds(m, "Play.StreamNotFound") || body_holds(m, "Publish.BadName")) {
    d->state = DIALOGUE_REFUSED;
  } else if (d->state == DIALOGUE_CONNECT && is_command(m, "_result")) {
    transport_write(t, out, (size_t)(write_create_stream(out, 2) - out));
    d->state = DIALOGUE_CREATE;
  } else if (d->state == DIALOGUE_CREATE && is_command(m, "_result")) {
    ask_stream(d, t, target, m);
  } else if (d->state == DIALOGUE_START && body_holds(m, d->publishes ? "Publish.Start" : "Play.Start")) {
    d->state = DIALOGUE_RUNNING;
  }
}

size_t dialogue_take(Dialogue *d, Transport *t, const DialogueTarget *target, const uint8_t *bytes, size_t length, bool *message, Message *out) {
  *message = false;
  if (d->state == DIALOGUE_HANDSHAKE) return take_handshake(d, t, target, bytes, length);
  size_t used = dechunker_take(&d->chunks, bytes, length, message, out);
  if (*message && out->type == MSG_COMMAND) answer_command(d, t, target, out);
  return used;
}
