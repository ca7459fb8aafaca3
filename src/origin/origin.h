/*
 * origin: the embedded upstream (`upstream: origin`), a small HTTP/1.1 server on a thread of its own, reached through an
 * abstract unix socket that only this machine can see. It exists so that a rule file can be tried with nothing else
 * running; the proxy treats it like any other upstream.
 *
 *   /status/N      an answer with status N (200 to 599)
 *   /delay/T       200 after T (250ms, 2s; at most 1 hour)
 *   /bytes/N       N bytes (64KiB, 10MiB, ... ), ?chunked=1 in chunks
 *   /drip          10 bytes, one every 100 ms (?bytes=N&every=T)
 *   /headers       the request's fields as JSON
 *   anything else  the request as JSON (method, target, path, query, headers, body size, the first 64 KiB of the body)
 */
#ifndef BROWNOUT_ORIGIN_ORIGIN_H
#define BROWNOUT_ORIGIN_ORIGIN_H

#include "net/address.h"

struct origin;

/* Starts the thread; *address is where it listens. -errno. */
int origin_start(struct origin **origin, struct address *address) MUST_USE;
/* Stops and joins; open connections are closed. */
void origin_stop(struct origin *origin);

#endif
