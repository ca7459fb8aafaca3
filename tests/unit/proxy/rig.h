/*
 * rig: two peers on a loop, each with the test at the far end of its socket, and of the worker only what peers and relays
 * use. Readiness comes as it does in earnest: by edges, which rig_edges collects. Time plays no part.
 */
#ifndef BROWNOUT_TESTS_PROXY_RIG_H
#define BROWNOUT_TESTS_PROXY_RIG_H

#include "proxy/relay.h"
#include "proxy/worker.h"

struct rig_end {
	struct peer peer;
	struct task task;
	unsigned wakeups;
	int far; /* the test's end, non-blocking; -1 where closed */
};

struct rig {
	struct worker w;
	struct rig_end from;
	struct rig_end to;
	struct text got; /* what has come out at to.far */
};

/* How the two pairs of sockets are made. tcp: resets are possible. send_buffer: SO_SNDBUF of `to`, 0 for the default. */
struct rig_options {
	bool tcp;
	int send_buffer;
};

void rig_init(struct rig *rig, struct rig_options options);
/* Fails the test where a block was not given back. */
void rig_deinit(struct rig *rig);

/* Takes the edges that are there now. */
void rig_edges(struct rig *rig);
/* Sends all of s from the source's far end; the edge is taken. */
void rig_feed(struct rig *rig, struct span s);
/* As much of s as goes; returns how much. */
size_t rig_feed_some(struct rig *rig, struct span s);
void rig_feed_end(struct rig *rig);
/* The source's far end resets the connection (tcp only). */
void rig_feed_reset(struct rig *rig);

/* Reads up to max bytes of what has come out, to the end of rig->got; edges are taken. Returns how much. */
size_t rig_take(struct rig *rig, size_t max);
/* True where the far end of the target has read the end of the stream. */
bool rig_ended(struct rig *rig);
/* Rounds of the relay until it does not say MORE. */
enum relay_result rig_run(struct rig *rig, struct relay *r, struct span *prefix, enum http_error *error);
/* The same, with all that comes out being read, until it does not wait to write either. */
enum relay_result rig_run_through(struct rig *rig, struct relay *r, struct span *prefix, enum http_error *error);

unsigned rig_blocks_used(const struct rig *rig);

/* Takes a well-formed chunked body apart, by means of its own: content and trailer lines, and how many bytes it has. */
size_t rig_unchunk(struct span body, struct text *content, struct text *trailers);

#endif
