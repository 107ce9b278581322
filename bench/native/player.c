/* A player's life: see player.h. */
#define _GNU_SOURCE
#include "player.h"
#include "base.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 1 << 18 };
static uint8_t incoming[READ_BYTES];

bool player_open(Player *p, const PlayTarget *target, bool checked) {
  memset(p, 0, sizeof *p);
  p->checked = checked;
  p->connect_ns = p->last_ns = now_ns();
  p->transport.fd = tcp_connect(target->host, target->port);
  p->state = p->transport.fd < 0 ? PLAYER_LOST : PLAYER_CONNECTING;
  if (p->state != PLAYER_LOST && target->tls) transport_start_tls(&p->transport);
  return p->state != PLAYER_LOST;
}

static void release_readers(Player *p) {
  if (p->dialogue) dialogue_free(p->dialogue);
  if (p->flv) flv_reader_free(p->flv);
  free(p->dialogue);
  free(p->flv);
  p->dialogue = NULL, p->flv = NULL;
}

void player_close(Player *p) {
  release_readers(p);
  transport_close(&p->transport);
}

static void lose(Player *p, Tally *tally, bool refused) {
  player_close(p);
  p->state = PLAYER_LOST;
  tally->lost++;
  if (refused) tally->refused++;
}

static void ask_http(Player *p, const PlayTarget *target) {
  static const char upgrade[] = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: c2x1aWNlLWJlbmNoLWtleQ==\r\nSec-WebSocket-Version: 13\r\n";
  char request[1024];
  int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: sluice-bench\r\n%s\r\n", target->path, target->host,
                   target->port, target->protocol == PROTOCOL_WS ? upgrade : "");
  p->asked_ns = now_ns();
  transport_write(&p->transport, request, (size_t)n);
}

void player_advance(Player *p, const PlayTarget *target, Tally *tally) {
  if (p->state == PLAYER_CONNECTING) p->state = PLAYER_SECURING;
  if (p->state != PLAYER_SECURING) return;
  int done = transport_handshake(&p->transport);
  if (done < 0) lose(p, tally, false);
  if (done <= 0) return;
  p->state = PLAYER_JOINING;
  if (target->protocol == PROTOCOL_RTMP) {
    p->dialogue = malloc(sizeof *p->dialogue);
    dialogue_start(p->dialogue, &p->transport, false);
  } else if (target->protocol == PROTOCOL_RAW) {
    p->asked_ns = p->connect_ns;
  } else {
    p->flv = calloc(1, sizeof *p->flv);
    ask_http(p, target);
  }
}

static void enter_playing(Player *p, Tally *tally, uint64_t now) {
  p->state = PLAYER_PLAYING;
  p->keyed_ns = now;
  tally->joined++;
  histogram_add(&tally->join, (now - p->connect_ns) / 1000);
  histogram_add(&tally->play, (now - p->asked_ns) / 1000);
}

static void check_frame(Player *p, Tally *tally, const Message *m, bool measuring) {
  FrameStamp stamp;
  int track = m->type == MSG_AUDIO;
  FrameVerdict verdict = frame_check(m->body, m->length, track, &stamp);
  if (verdict == FRAME_HEADER) return;
  if (verdict == FRAME_DAMAGED) {
    tally->damaged++;
    return;
  }
  uint64_t now = now_ns();
  tally->frames++;
  if (p->seen[track] && stamp.sequence != p->next_sequence[track]) tally->holes++;
  if (p->seen[track] && (int32_t)(m->timestamp - p->last_timestamp[track]) < 0) tally->backwards++;
  p->seen[track] = true;
  p->next_sequence[track] = stamp.sequence + 1;
  p->last_timestamp[track] = m->timestamp;
  if (measuring && p->keyed_ns > 0 && stamp.sent_ns > p->keyed_ns) histogram_add(&tally->latency, (now - stamp.sent_ns) / 1000);
  if (p->state == PLAYER_JOINING && stamp.is_key) enter_playing(p, tally, now);
}

static size_t take_message(Player *p, const PlayTarget *target, const uint8_t *bytes, size_t length, bool *message, Message *m) {
  if (p->flv) return flv_reader_take(p->flv, bytes, length, message, m);
  size_t used = dialogue_take(p->dialogue, &p->transport, &target->target, bytes, length, message, m);
  p->asked_ns = p->dialogue->asked_ns;
  p->window = p->dialogue->chunks.window;
  return p->dialogue->state == DIALOGUE_REFUSED ? 0 : used;
}

/* Parses what arrived; stops where a player that only discards has seen its key frame. */
static void parse(Player *p, const PlayTarget *target, Tally *tally, size_t length, bool measuring) {
  for (size_t at = 0; at < length;) {
    bool message;
    Message m;
    size_t used = take_message(p, target, incoming + at, length - at, &message, &m);
    if (used == 0) {
      lose(p, tally, true);
      return;
    }
    at += used;
    if (message && (m.type == MSG_AUDIO || m.type == MSG_VIDEO) && m.length > 0) check_frame(p, tally, &m, measuring);
    if (p->state == PLAYER_PLAYING && !p->checked) {
      release_readers(p);
      return;
    }
  }
}

static void acknowledge(Player *p) {
  uint8_t out[32];
  if (p->window == 0 || p->bytes - p->acknowledged < p->window / 2) return;
  p->acknowledged = p->bytes;
  transport_write(&p->transport, out, (size_t)(write_control(out, MSG_ACK, (uint32_t)p->bytes) - out));
}

static void count_gap(Player *p, Tally *tally, uint64_t now, uint64_t stall_ns, bool measuring) {
  uint64_t gap = now > p->last_ns ? now - p->last_ns : 0;
  p->last_ns = now;
  if (!measuring || p->state != PLAYER_PLAYING) return;
  if (gap > tally->max_gap_ns) tally->max_gap_ns = gap;
  if (gap > stall_ns) tally->stalls++;
}

void player_read(Player *p, const PlayTarget *target, Tally *tally, uint64_t now, uint64_t stall_ns, bool measuring) {
  bool parses = p->dialogue || p->flv;
  do {
    ssize_t n = parses ? transport_read(&p->transport, incoming, READ_BYTES) : transport_discard(&p->transport);
    if (n == -1) return;
    if (n <= 0) {
      lose(p, tally, false);
      return;
    }
    count_gap(p, tally, now, stall_ns, measuring);
    p->bytes += (uint64_t)n;
    if (parses) parse(p, target, tally, (size_t)n, measuring);
    else if (p->state == PLAYER_JOINING) enter_playing(p, tally, now);
    if (p->state != PLAYER_LOST) acknowledge(p);
    /* TLS holds back what it has deciphered: read on until it says "nothing now". */
  } while (parses && p->transport.tls && p->state != PLAYER_LOST && (p->dialogue || p->flv));
}
