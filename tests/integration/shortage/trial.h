/*
 * trial: a program that can be let run short (shortage.h) between clients of some kinds of traffic and a responder, and the ways
 * to let it: each allocation fails in turn, system calls fail at random, at the start, at a reload and while it serves. What
 * must hold is checked here: nobody waits for ever, the program neither ends nor leaks, and the very next request is served.
 */
#ifndef SHORTAGE_TRIAL_H
#define SHORTAGE_TRIAL_H

#include "harness/responder.h"
#include "harness/rig.h"
#include "shortage/shortage.h"

#define ASK(method, path, fields, body) method " " path " HTTP/1.1\r\nHost: a\r\n" fields "Connection: close\r\n\r\n" body

#define ASK_WITH_BODY(path) ASK("POST", path, "Content-Length: 10\r\n", "0123456789")
#define ASK_IN_CHUNKS(path) ASK("POST", path, "Transfer-Encoding: chunked\r\n", "a\r\n0123456789\r\n0\r\nX-T: t\r\n\r\n")
#define ASK_EARLY(path) ASK("POST", path, "Content-Length: 100000\r\n", "0123456789")
#define ASK_UPGRADE(path) "GET " path " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"

/* What one client sends on one connection. */
struct traffic {
	const char *name; /* where it begins with "admin", it goes to the admin listener */
	const char *sent; /* NULL: a head of several KiB */
};

/* What came of one connection. */
struct outcome {
	unsigned status; /* of the first answer; 0: none */
	size_t n; /* bytes */
	bool hung;
};

struct trial {
	const struct traffic *traffic; /* the first is the usual one: 200 with a body of 2000 bytes */
	size_t n_traffic;
	const char *yaml;
	unsigned unmet; /* system calls that the traffic need not have: a bit for each of enum shortage_call */
	struct rig rig;
	struct shortage *shortage;
	struct responder responder;
};

/* Starts the responder, whose port the rules will need. */
void trial_open(struct trial *t, const struct traffic *traffic, size_t n_traffic);
/* Starts the program with these rules, which must have an admin listener, and stay. */
void trial_start(struct trial *t, const char *yaml);
/* All that was begun has ended, and the program has said `says` (NULL: nothing in particular). */
void trial_finish(struct trial *t, const char *says);

/* From now on allocation number `at`, and `more` behind it, fail. */
void trial_lack_memory(struct trial *t, uint32_t at, uint32_t more);
/* From now on there is enough of all; how many allocations have failed. */
uint32_t trial_end_shortage(struct trial *t);

struct outcome trial_talk(struct trial *t, const struct traffic *traffic);
/* The usual request is. */
void trial_expect_served(struct trial *t);

/* Each kind of traffic while each of its allocations, and `more` behind it, fail in turn. */
void trial_of_allocations(struct trial *t, uint32_t more);
/* The rules are read again while each allocation of that, and `more` behind it, fail in turn. */
void trial_of_reloads(struct trial *t, uint32_t more);
/* The whole of a test: the program starts while each allocation of that fails in turn. */
void trial_of_starts(const char *yaml, uint32_t more);
/* All kinds of traffic, from some clients at once, while one kind of system call after the other fails often. */
void trial_of_each_call(struct trial *t);
/* The same while all of them fail now and then. */
void trial_of_all_calls(struct trial *t);

#endif
