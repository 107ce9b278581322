/* The client's side of RTMP, as small as a bench needs it: handshake bytes, commands, chunks out, messages in. */
#ifndef BENCH_RTMP_H
#define BENCH_RTMP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HANDSHAKE_BYTES = 1536, RTMP_STREAMS = 12, OUT_CHUNK_BYTES = 4096 };
enum { MSG_SET_CHUNK = 1, MSG_ACK = 3, MSG_USER = 4, MSG_WINDOW = 5, MSG_AUDIO = 8, MSG_VIDEO = 9, MSG_DATA = 18, MSG_COMMAND = 20 };

typedef struct {
  uint32_t csid, timestamp, delta, length, received, capacity;
  uint8_t type;
  bool extended;
  uint8_t *body;
} ChunkStream;

typedef struct {
  uint32_t timestamp, length;
  uint8_t type;
  const uint8_t *body;
} Message;

/* Assembles messages from chunks. All zero, then chunk_size = 128, is the start. */
typedef struct {
  ChunkStream streams[RTMP_STREAMS];
  uint8_t header[18];
  int header_bytes;
  uint32_t chunk_left, chunk_size, window;
  ChunkStream *current;
} Dechunker;

void dechunker_start(Dechunker *d);
void dechunker_free(Dechunker *d);
/* Consumes some of the bytes and returns how many; `*message` is set to true when a whole message is in `out`, whose body
 * is good until the next call. Returns 0 on bytes that cannot be RTMP. Set Chunk Size and window are applied by itself. */
size_t dechunker_take(Dechunker *d, const uint8_t *bytes, size_t length, bool *message, Message *out);

/* Each writer returns the new end. Commands travel on chunk stream 3. */
uint8_t *write_message(uint8_t *p, uint8_t csid, uint8_t type, uint32_t timestamp, uint32_t stream_id, const uint8_t *body, size_t length);
uint8_t *write_control(uint8_t *p, uint8_t type, uint32_t value);
uint8_t *write_buffer_length(uint8_t *p, uint32_t stream_id, uint32_t millis);
uint8_t *write_connect(uint8_t *p, const char *app, const char *tc_url);
uint8_t *write_create_stream(uint8_t *p, double transaction);
uint8_t *write_play(uint8_t *p, uint32_t stream_id, const char *name);
uint8_t *write_publish(uint8_t *p, uint32_t stream_id, const char *name);
uint8_t *write_metadata(uint8_t *p, uint32_t stream_id);
/* Is this an AMF0 command of that name? */
bool is_command(const Message *m, const char *name);
/* Does the body hold that text anywhere? Enough to know a status code. */
bool body_holds(const Message *m, const char *text);
/* The last AMF0 number of a _result: the stream id of createStream. */
double last_number(const Message *m);
#endif
