/* One player: joins by RTMP, HTTP-FLV, WS-FLV or raw TCP, reads for real until its first key frame, then checks or discards. */
#ifndef BENCH_PLAYER_H
#define BENCH_PLAYER_H
#include "dialogue.h"
#include "flv.h"
#include "frame.h"
#include "histogram.h"

typedef enum { PROTOCOL_RTMP, PROTOCOL_HTTP, PROTOCOL_WS, PROTOCOL_RAW } Protocol;
typedef enum { PLAYER_IDLE, PLAYER_CONNECTING, PLAYER_SECURING, PLAYER_JOINING, PLAYER_PLAYING, PLAYER_LOST } PlayerState;

typedef struct {
  const char *host;
  int port;
  Protocol protocol;
  bool tls;
  DialogueTarget target;
  const char *path; /* request path of HTTP and WebSocket */
} PlayTarget;

/* What all players together saw. Times in microseconds. */
typedef struct {
  Histogram latency, join, play;
  uint64_t frames, damaged, holes, backwards, stalls, max_gap_ns, lost, refused, joined;
} Tally;

typedef struct {
  Transport transport;
  PlayerState state;
  bool checked, stalled;
  Dialogue *dialogue;
  FlvReader *flv;
  uint64_t connect_ns, asked_ns, keyed_ns, last_ns, bytes, bytes_at_mark, acknowledged;
  uint32_t window;
  /* per track: video, audio */
  bool seen[2];
  uint32_t next_sequence[2], last_timestamp[2];
} Player;

/* Opens the connection; the caller registers transport.fd for reading and writing. */
bool player_open(Player *p, const PlayTarget *target, bool checked);
/* Writable for the first time: the connection stands, or the next TLS step may go. */
void player_advance(Player *p, const PlayTarget *target, Tally *tally);
/* Reads once. `measuring`: whether latency and stalls count. */
void player_read(Player *p, const PlayTarget *target, Tally *tally, uint64_t now, uint64_t stall_ns, bool measuring);
void player_close(Player *p);
#endif
