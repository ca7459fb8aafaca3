/*
 * odd: tables of strange answers. A row says what an upstream sends, how its connection ends, and what the client must then
 * see; odd_run plays each row in one of several ways that must make no difference, and after each row checks that the next
 * request gets its own answer, on the connection that it should come on, and that the first one went out once only.
 */
#ifndef HARNESS_ODD_H
#define HARNESS_ODD_H

#include "harness/rig.h"

enum odd_end {
	ODD_STAYS, /* the upstream keeps its connection open */
	ODD_FIN,
	ODD_RST,
};

enum odd_outcome {
	ODD_PASSES, /* the client gets `head` and `body`, whole */
	ODD_FAILS, /* the client gets the status and Proxy-Status of `error` */
	ODD_CUT, /* the client gets at most `body`, and sees that it is not whole */
	ODD_LATE, /* as ODD_FAILS where nothing has gone out by then, else as ODD_CUT */
};

struct odd {
	const char *name;
	const char *request; /* NULL: a GET, or the way's own */
	const char *sent;
	size_t sent_n;
	enum odd_end end;
	enum odd_outcome outcome;
	bool kept; /* the upstream connection serves the next request */
	const char *head; /* all heads, 1xx included, without the lines Date and Via; NULL: not looked at */
	const char *body; /* without its framing */
	const char *error; /* Proxy-Status; a dot before it: 504, else 502 */
};

/* Rows. The bytes may hold NUL. */
#define ODD_BYTES(bytes) bytes, sizeof(bytes) - 1
#define PASSES(name, sent, end, kept, head, body)                                                                               \
	{                                                                                                                       \
		name, NULL, ODD_BYTES(sent), end, ODD_PASSES, kept, head, body, NULL                                            \
	}
#define PASSES_TO(name, request, sent, end, kept, head, body)                                                                   \
	{                                                                                                                       \
		name, request, ODD_BYTES(sent), end, ODD_PASSES, kept, head, body, NULL                                         \
	}
#define FAILS(name, sent, end, error)                                                                                           \
	{                                                                                                                       \
		name, NULL, ODD_BYTES(sent), end, ODD_FAILS, false, NULL, NULL, error                                           \
	}
#define CUT(name, sent, end, body)                                                                                              \
	{                                                                                                                       \
		name, NULL, ODD_BYTES(sent), end, ODD_CUT, false, NULL, body, NULL                                              \
	}
#define LATE(name, sent, end, body, error)                                                                                      \
	{                                                                                                                       \
		name, NULL, ODD_BYTES(sent), end, ODD_LATE, false, NULL, body, error                                            \
	}

/* The ways in which a row is played. */
enum odd_way {
	ODD_WHOLE, /* all bytes in one go */
	ODD_AT_ONCE, /* all bytes and the end are there before the program looks */
	ODD_BYTEWISE, /* one byte per segment */
	ODD_POST, /* as an answer to a POST that went out on a kept connection */
	ODD_OLD_CLIENT, /* the client speaks HTTP/1.0 */
};

/* Ends the connection as a row says, or not. */
void odd_end(struct peer *upstream, enum odd_end end);
/* Starts a rig with these rules (NULL: none), plays all rows, ends the rig. */
void odd_run(const struct odd *rows, size_t n, enum odd_way way, const char *yaml);
/* One row within a running rig. `line` is that of the access log. */
void odd_play(struct rig *r, const struct odd *row, enum odd_way way, unsigned *line);

/* The tests of one table, one for each way. */
#define ODD_TEST(suite, rows, suffix, way, yaml)                                                                                \
	Test(suite, rows##suffix)                                                                                               \
	{                                                                                                                       \
		odd_run(rows, sizeof(rows) / sizeof(rows[0]), way, yaml);                                                       \
	}
#define ODD_TESTS(suite, rows, yaml)                                                                                            \
	ODD_TEST(suite, rows, _whole, ODD_WHOLE, yaml)                                                                          \
	ODD_TEST(suite, rows, _at_once, ODD_AT_ONCE, yaml)                                                                      \
	ODD_TEST(suite, rows, _bytewise, ODD_BYTEWISE, yaml)                                                                    \
	ODD_TEST(suite, rows, _post, ODD_POST, yaml)                                                                            \
	ODD_TEST(suite, rows, _old_client, ODD_OLD_CLIENT, yaml)

#endif
