/* The RTMP dialogue of a client, from the handshake to playing or publishing. Feeds on bytes, writes through a transport. */
#ifndef BENCH_DIALOGUE_H
#define BENCH_DIALOGUE_H
#include "rtmp.h"
#include "transport.h"

typedef enum { DIALOGUE_HANDSHAKE, DIALOGUE_CONNECT, DIALOGUE_CREATE, DIALOGUE_START, DIALOGUE_RUNNING, DIALOGUE_REFUSED } DialogueState;

typedef struct {
  DialogueState state;
  bool publishes;
  uint32_t stream_id;
  uint64_t asked_ns; /* when play or publish was sent */
  size_t handshake_bytes;
  uint8_t *handshake;
  Dechunker chunks;
} Dialogue;

typedef struct {
  const char *app, *name, *tc_url;
  uint32_t buffer_ms;
} DialogueTarget;

/* Sends C0 and C1. */
void dialogue_start(Dialogue *d, Transport *t, bool publishes);
void dialogue_free(Dialogue *d);
/* As dechunker_take; what belongs to the dialogue is answered on the way, and the message is still handed out. */
size_t dialogue_take(Dialogue *d, Transport *t, const DialogueTarget *target, const uint8_t *bytes, size_t length, bool *message, Message *out);
#endif
