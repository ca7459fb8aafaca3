/*
 * adoption: how a worker goes over from one generation of the plan to the next: listeners that stay go on, new ones begin, those
 * that are gone let their clients finish; connections to upstreams that stay are kept. What an exchange has begun with it keeps.
 */
#ifndef BROWNOUT_PROXY_ADOPTION_H
#define BROWNOUT_PROXY_ADOPTION_H

#include "proxy/generation.h"

struct client;
struct worker;
struct worker_generation;
struct worker_listener;

/*
 * A generation on its way into a worker: everything that needs memory is made beforehand, by the server's thread, so that taking
 * it over cannot fail half-way.
 */
struct adoption;

/*
 * from: by listener of the new plan, the one of the old that it goes on from, -1: a new one, with the socket in fds, which is
 * taken over; NULL: all are new. NULL where memory is out (then the sockets are the caller's still).
 */
struct adoption *adoption_new(struct worker *w, struct generation *g, const int *from, const int *fds) MUST_USE;
/* Of one that never reached its worker; closes the sockets. NULL: nothing. */
void adoption_free(struct adoption *a);

/* ---- in the worker's thread (or before there is one) ---- */

/* Takes it over and frees it. */
void worker_adopt(struct worker *w, struct adoption *a);
/* An exchange or a listener uses it no more. */
void worker_generation_drop(struct worker_generation *g);
/* At the end, when all clients are gone. */
void worker_forget_generation(struct worker *w);

/* Stops accepting; its clients are not touched. */
void worker_close_listener(struct worker_listener *l);
/* Where it was removed and nobody uses it. */
void worker_free_listener(struct worker_listener *l);

#endif
