/* TCP and TLS reads and writes: see transport.h. */
#define _GNU_SOURCE
#include "transport.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef HAVE_TLS
#include <openssl/ssl.h>
static SSL_CTX *context;
#endif

enum { DISCARD_BYTES = 1 << 20 };

bool transport_start_tls(Transport *t) {
#ifdef HAVE_TLS
  if (!context) context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL *tls = SSL_new(context);
  SSL_set_fd(tls, t->fd);
  t->tls = tls;
  return true;
#else
  (void)t;
  return false;
#endif
}

int transport_handshake(Transport *t) {
#ifdef HAVE_TLS
  if (!t->tls) return 1;
  int done = SSL_connect(t->tls);
  if (done == 1) return 1;
  int why = SSL_get_error(t->tls, done);
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
#else
  (void)t;
  return 1;
#endif
}

static ssize_t answer(ssize_t n) {
  if (n >= 0) return n;
  return errno == EAGAIN || errno == EINTR ? -1 : -2;
}

ssize_t transport_read(Transport *t, void *to, size_t length) {
#ifdef HAVE_TLS
  if (t->tls) {
    int n = SSL_read(t->tls, to, (int)length);
    if (n > 0) return n;
    int why = SSL_get_error(t->tls, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : why == SSL_ERROR_ZERO_RETURN ? 0 : -2;
  }
#endif
  return answer(recv(t->fd, to, length, 0));
}

ssize_t transport_discard(Transport *t) { return answer(recv(t->fd, NULL, DISCARD_BYTES, MSG_TRUNC)); }

bool transport_write(Transport *t, const void *from, size_t length) {
#ifdef HAVE_TLS
  if (t->tls) return SSL_write(t->tls, from, (int)length) == (int)length;
#endif
  return send(t->fd, from, length, MSG_NOSIGNAL) == (ssize_t)length;
}

void transport_close(Transport *t) {
#ifdef HAVE_TLS
  if (t->tls) SSL_free(t->tls);
#endif
  t->tls = NULL;
  if (t->fd >= 0) close(t->fd);
  t->fd = -1;
}
