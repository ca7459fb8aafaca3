/*
 * admin_answer: what a handler answers, and the head that goes with it. Every answer forbids what a browser might do with it
 * elsewhere: guess its type, show it in a frame, keep it, hand it to another origin.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_ANSWER_H
#define BROWNOUT_ADMIN_ADMIN_ANSWER_H

#include "admin/admin_events.h"
#include "base/json.h"

struct admin_answer {
	unsigned status;
	const char *type; /* Content-Type; NULL: no content */
	struct text body;
	struct span file; /* instead of body; empty: none */
	const char *policy; /* Content-Security-Policy; NULL: what is no page may do nothing */
	struct text fields; /* further field lines, each with CRLF */
	bool streams; /* events follow, until the connection ends */
	struct admin_stream stream; /* of these */
	struct json json; /* while one is being written */
};

void admin_answer_init(struct admin_answer *a);
void admin_answer_deinit(struct admin_answer *a);

/* 200 with one JSON object, written by the caller into the result between begin and end. */
struct json *admin_answer_begin_json(struct admin_answer *a);
void admin_answer_end_json(struct admin_answer *a);
/* {"error": TEXT}; what the body held is dropped. */
void admin_answer_error(struct admin_answer *a, unsigned status, const char *format, ...) PRINTF_LIKE(3, 4);

/* The content, nothing where the status has none. */
struct span admin_answer_content(const struct admin_answer *a);
/* To a request by HTTP/1.minor. */
void admin_answer_write_head(const struct admin_answer *a, unsigned minor, bool keep_alive, struct text *out);

#endif
