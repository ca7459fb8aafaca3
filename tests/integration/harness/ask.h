/*
 * ask: one request to the admin listener and its answer, each on a connection of its own.
 */
#ifndef HARNESS_ASK_H
#define HARNESS_ASK_H

#include "harness/rig.h"

#define JSON "application/json"
#define YAML "application/yaml"

/* Expects this status; the body is the caller's to free. type: NULL where there is no body. */
char *ask(struct rig *r, const char *method, const char *target, const char *type, const char *body, unsigned status);
/* The same; the answer's body has this part. */
void expect_ask(struct rig *r, const char *method, const char *target, const char *type, const char *body, unsigned status,
	const char *part);
/*
 * GET, again until the body has this part: what an exchange holds is given back, and what it was is counted, behind its answer.
 * The body is the caller's to free.
 */
char *ask_until(struct rig *r, const char *target, const char *part);

/* The status of a GET on the data path; a request that is forwarded is answered with 200. */
unsigned ask_status(struct rig *r, struct peer *client, const char *path);

#endif
