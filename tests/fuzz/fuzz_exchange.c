/*
 * fuzz exchange: whole exchanges over sockets made of memory, with a clock of the test's. The input is a script: who sends how
 * much of what, who takes how much, who leaves how, when time passes, when the rules change. Whatever it says, these hold: every
 * turn of the loop ends; a client sees well-formed answers, one for each request and in their order, the last of which may be
 * cut; and in the end nothing is left: no exchange, timer, place in a ceiling, connection or block.
 */
#include "config/load.h"
#include "fake_net.h"
#include "fuzz.h"
#include "http/chunked.h"
#include "proxy/adoption.h"
#include "proxy/worker.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

#define CLIENTS_MAX 4
#define OPS 22 /* kinds of */
#define OPS_MAX 400
#define TOGETHER (9 * OPS) /* a byte from here on: the op, and no turn of the loop behind it */

/* ---- rules ---- */

#define TOP "seed: 1\nupstreams: {default: {url: 'http://u:1', max_connections: 6, keepalive: 2}, lost: 'http://none:2'}\n" \
	    "listeners: [{name: a, address: '127.0.0.1:1', routes: [{match: {path: /lost/**}, upstream: lost}, " \
	    "{upstream: default}]}]\n"
#define TIDY "rules:\n" \
	"  - {name: r1, percentage: 30, abort: {status: 503, retry_after: 2s}}\n" \
	"  - {name: r2, percentage: 30, delay: 50ms, max_active_faults: 2}\n" \
	"  - {name: r3, percentage: 20, hang: {max: 3s}}\n" \
	"  - {name: r4, percentage: 20, throttle: {download: 20KiB/s, upload: 20KiB/s}}\n" \
	"  - {name: r5, percentage: 10, drip: {bytes: 7, every: 10ms}}\n" \
	"  - {name: r6, rate_limit: {limit: 3, algorithm: concurrency}, match: {path: /q/**}}\n" \
	"  - {name: r7, phase: response, percentage: 20, rewrite: {headers: {set: {x: y}, remove: [server]}, body: new}}\n" \
	"  - {name: r8, phase: response, percentage: 20, abort: 502}\n" \
	"  - {name: r9, phase: response, percentage: 20, delay: {fixed: 20ms, at: body}}\n" \
	"  - {name: r10, percentage: 20, early_hints: {headers: {link: '</a>'}}}\n" \
	"  - {name: r11, percentage: 20, request: {headers: {set: {x-b: c}}, path: /other}}\n"
#define ROUGH "rules:\n" \
	"  - {name: c1, percentage: 15, connection: reset}\n" \
	"  - {name: c2, percentage: 15, connection: close}\n" \
	"  - {name: c3, percentage: 15, truncate: {after: 50%, reset: true}}\n" \
	"  - {name: c4, percentage: 15, truncate: {after: 3}}\n" \
	"  - {name: c5, percentage: 20, corrupt: {bytes: 3}}\n" \
	"  - {name: c6, percentage: 10, malformed: chunk}\n" \
	"  - {name: c7, percentage: 10, malformed: http09}\n" \
	"  - {name: c8, percentage: 10, malformed: early_eof}\n" \
	"  - {name: c9, phase: response, percentage: 10, connection: reset}\n" \
	"  - {name: c10, percentage: 10, connection: refuse}\n"

static const struct {
	const char *text;
	bool tidy; /* what clients see is well-formed */
} files[] = {
	{ TOP, true },
	{ TOP "limits: {half_close: true, max_header_bytes: 16KiB}\n" TIDY, true },
	{ TOP "header_control: {enabled: true, allow: [abort, delay]}\n" TIDY, true },
	{ TOP ROUGH, false },
	{ TOP "limits: {max_connections: 3, body_timeout: 2s}\nsafety: {max_active_faults: 2}\n" TIDY, true },
};
static struct plan *plans[ARRAY_LEN(files)];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct load_options options = { 0 };
		struct diagnostics d = { 0 };
		struct text said;

		text_init(&said);
		if (load_plan("rules", span_of_string(files[i].text), &options, &plans[i], &d) != 0) {
			diagnostics_write(&d, "rules", span_of_string(files[i].text), false, &said);
			fprintf(stderr, "%.*s", SPAN_ARG(text_span(&said)));
			abort();
		}
		diagnostics_deinit(&d);
		text_deinit(&said);
	}
	return 0;
}

/* ---- what is said ---- */

#define PLAIN(method, rest) method " /a" rest " HTTP/1.1\r\nHost: a\r\n"
static const struct {
	const char *text;
	char method; /* G, H(EAD), 0: nothing can be said of the answers from here on */
} requests[] = {
	{ PLAIN("GET", "") "\r\n", 'G' },
	{ PLAIN("HEAD", "") "\r\n", 'H' },
	{ PLAIN("POST", "/p") "Content-Length: 11\r\n\r\nhello world", 'G' },
	{ PLAIN("POST", "/p") "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: v\r\n\r\n", 'G' },
	{ PLAIN("PUT", "/p") "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", 'G' },
	{ "GET /q/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 'G' },
	{ "GET /a HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", 'G' },
	{ "GET /lost/x HTTP/1.1\r\nHost: a\r\n\r\n", 'G' },
	{ PLAIN("GET", "") "x-brownout-abort: 418\r\n\r\n", 'G' },
	{ PLAIN("GET", "") "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n", 0 },
	{ "GET /a HTTP/1.1\r\nHost: a\r\nbad line\r\n\r\n", 'G' },
	{ "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 'G' },
};

static const char *const answers[] = {
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n",
	"HTTP/1.1 200 OK\r\n\r\nuntil the end",
	"HTTP/1.1 204 No Content\r\n\r\n",
	"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
	"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
	"HTTP/1.1 99 x\r\n\r\n",
	"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nokextra",
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
};

/* ---- the world ---- */

struct fake_client {
	struct fake_socket *socket; /* NULL: none yet */
	struct text to_send;
	size_t sent;
	char methods[64]; /* of requests, as they will go out */
	unsigned n_methods;
	bool unknown; /* what it says has no known answers any more */
};

struct world {
	struct shared shared;
	struct worker worker;
	struct generation *generations[8];
	unsigned n_generations;
	struct traffic *traffic;
	struct fake_client clients[CLIENTS_MAX];
	bool tidy;
	const uint8_t *data;
	size_t left;
};

static unsigned next_byte(struct world *w)
{
	if (!w->left)
		return 0;
	w->left--;
	return *w->data++;
}

static struct generation *add_generation(struct world *w, unsigned plan)
{
	const struct generation *old = w->n_generations ? w->generations[w->n_generations - 1] : NULL;
	const struct address none = { .n = 0 };
	struct generation *g;
	char error[256];

	MUST_HOLD(generation_new(&g, plans[plan], old, w->traffic, &none, error, sizeof(error)) == 0);
	w->tidy = w->tidy && files[plan].tidy;
	w->generations[w->n_generations++] = g;
	return g;
}

static void world_init(struct world *w, unsigned plan)
{
	const int fds[] = { FAKE_FD_FIRST };

	fake_net_reset();
	w->tidy = true;
	w->traffic = traffic_new();
	MUST_HOLD(w->traffic);
	w->shared.n_workers = 1;
	MUST_HOLD(worker_init(&w->worker, 0, &w->shared, add_generation(w, plan), fds, false) == 0);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		text_init(&w->clients[i].to_send);
}

static void run(struct world *w)
{
	MUST_HOLD(fake_run(w->worker.loop));
}

static struct fake_client *client_at(struct world *w, unsigned i)
{
	struct fake_client *c = &w->clients[i % CLIENTS_MAX];
	struct listener *l = &w->worker.listeners[0]->listener;
	struct address from;
	int fd;

	if (c->socket)
		return c;
	fd = fake_socket_new();
	if (fd < 0)
		return NULL;
	c->socket = fake_socket_of(fd);
	MUST_HOLD(address_from_numeric(&from, SPAN("127.0.0.1"), (uint16_t)(1000 + i)) == 0);
	l->on_accept(l, fd, &from);
	if (!c->socket->conn)
		c->socket->closed = true; /* refused at the door, past this layer */
	return c;
}

/* The i-th open connection to an upstream; NULL where there is none. */
static struct fake_socket *upstream_at(unsigned i)
{
	struct fake_socket *found[FAKE_SOCKETS_MAX];
	unsigned n = 0;

	for (unsigned k = 0; k < FAKE_SOCKETS_MAX; k++) {
		struct fake_socket *s = fake_socket_at(k);

		if (s->used && s->to_upstream && !s->closed)
			found[n++] = s;
	}
	return n ? found[i % n] : NULL;
}

/* ---- the script ---- */

static void queue_request(struct fake_client *c, unsigned i)
{
	i %= ARRAY_LEN(requests);
	if (c->n_methods >= sizeof(c->methods))
		return;
	if (!requests[i].method)
		c->unknown = true;
	c->methods[c->n_methods++] = requests[i].method;
	text_put_string(&c->to_send, requests[i].text);
}

static void send_some(struct fake_client *c, size_t n)
{
	struct span s = span_first(span_skip(text_span(&c->to_send), c->sent), n);

	c->sent += s.n;
	fake_send(c->socket, s);
}

static void client_op(struct world *w, unsigned op)
{
	struct fake_client *c = client_at(w, next_byte(w));
	unsigned n = next_byte(w);

	if (!c)
		return;
	switch (op) {
	case 0:
		queue_request(c, n);
		send_some(c, SIZE_MAX);
		break;
	case 1:
		queue_request(c, n);
		break;
	case 2:
		send_some(c, n);
		break;
	case 3:
		fake_fin(c->socket);
		break;
	case 4:
		fake_reset(c->socket);
		break;
	case 5:
		c->socket->credit = n;
		break;
	default:
		fake_allow(c->socket, (size_t)n * 64);
		break;
	}
}

static void upstream_op(struct world *w, unsigned op)
{
	static const char filler[] = "............................................................";
	struct fake_socket *s = upstream_at(next_byte(w));
	unsigned n = next_byte(w);

	if (!s)
		return;
	switch (op) {
	case 0:
	case 1:
		fake_connected(s, n % 8 == 7 ? 111 /* ECONNREFUSED */ : 0);
		break;
	case 2:
		fake_send(s, span_of_string(answers[n % ARRAY_LEN(answers)]));
		break;
	case 3:
		fake_send(s, span_first(span_of_string(answers[n % ARRAY_LEN(answers)]), next_byte(w)));
		break;
	case 4:
		for (unsigned i = 0; i < n; i++)
			fake_send(s, SPAN(filler));
		break;
	case 5: {
		size_t most = MIN((size_t)n, w->left);

		fake_send(s, span_of((const char *)w->data, most));
		w->data += most;
		w->left -= most;
		break;
	}
	case 6:
		fake_fin(s);
		break;
	case 7:
		fake_reset(s);
		break;
	default:
		if (n & 1)
			s->credit = n;
		else
			fake_allow(s, (size_t)n * 256);
		break;
	}
}

static void reload(struct world *w, unsigned plan)
{
	const int from[] = { 0 };
	struct adoption *a;

	if (w->n_generations == ARRAY_LEN(w->generations))
		return;
	a = adoption_new(&w->worker, add_generation(w, plan % ARRAY_LEN(files)), from, NULL);
	MUST_HOLD(a);
	worker_adopt(&w->worker, a);
}

static void world_op(struct world *w, unsigned op)
{
	static const int64_t steps[] = { 1, 1000 * 1000, 20 * NS_PER_MS, NS_PER_S, 11 * NS_PER_S, 80 * NS_PER_S };
	unsigned n = next_byte(w);

	switch (op) {
	case 0:
	case 1:
		fake_advance(steps[n % ARRAY_LEN(steps)]);
		break;
	case 2:
		reload(w, n);
		break;
	case 3:
		worker_disarm(&w->worker, n & 1);
		break;
	case 4:
		w->worker.disarmed = false;
		break;
	default:
		fake_refuse_connects(n % 4);
		break;
	}
}

/* ---- what must hold ---- */

/* Takes one field's value out of a head; false where it is not there. */
static bool head_has(struct span head, const char *field)
{
	size_t n = strlen(field);

	for (size_t i = 0; i + n <= head.n; i++) {
		if (strncasecmp(head.p + i, field, n) == 0)
			return true;
	}
	return false;
}

static uint64_t head_length(struct span head)
{
	/* A reason may read like a field: only what begins a line is one. */
	const char *at = memmem(head.p, head.n, "\r\nContent-Length: ", 18);

	return at ? strtoull(at + 18, NULL, 10) : 0;
}

/* What follows a head that is whole. False where the body is not whole, which only the last may be. */
static bool skip_body(struct span *rest, struct span head, unsigned status, char method)
{
	if (method == 'H' || status == 204 || status == 304)
		return true;
	if (head_has(head, "\r\nTransfer-Encoding: chunked")) {
		struct http_chunked c;
		struct http_chunk ev;
		size_t used;

		http_chunked_init(&c);
		for (;;) {
			enum http_chunk_event e = http_chunked_next(&c, rest->p, rest->n, &used, &ev);

			*rest = span_skip(*rest, used);
			MUST_HOLD(e != HTTP_CHUNK_ERROR);
			if (e == HTTP_CHUNK_END)
				return true;
			if (e == HTTP_CHUNK_MORE)
				return false;
		}
	}
	if (head_has(head, "\r\nContent-Length: ")) {
		uint64_t n = head_length(head);

		if (n > rest->n)
			return false;
		*rest = span_skip(*rest, n);
		return true;
	}
	*rest = SPAN_EMPTY; /* until the end */
	return true;
}

static void check_answers(const struct fake_client *c)
{
	struct span rest = c->socket ? text_span(&c->socket->out) : SPAN_EMPTY;
	unsigned n = 0;

	while (rest.n) {
		const char *end = memmem(rest.p, rest.n, "\r\n\r\n", 4);
		struct span head;
		unsigned status;

		MUST_HOLD(memcmp(rest.p, "HTTP/1.1 ", MIN(rest.n, 9u)) == 0);
		if (!end)
			return; /* cut */
		head = span_of(rest.p, (size_t)(end + 4 - rest.p));
		status = (unsigned)strtoul(head.p + 9, NULL, 10);
		MUST_HOLD(status >= 100 && status <= 599);
		rest = span_skip(rest, head.n);
		if (status < 200)
			continue;
		/* 408 answers a head that did not come in time, of which nothing is known: not even that it is HEAD. */
		MUST_HOLD(n < c->n_methods || status == 408);
		if (status == 408 && head_has(head, "\r\nConnection: close"))
			return;
		if (!skip_body(&rest, head, status, n < c->n_methods ? c->methods[n] : 'G'))
			return;
		n++;
	}
}

static void check_nothing_is_left(struct world *w)
{
	struct worker *k = &w->worker;

	for (struct list *node = k->clients_open.next; node != &k->clients_open; node = node->next) {
		struct client *c = container_of(node, struct client, node);

		fprintf(stderr, "still there: %s, socket %d\n", exchange_state_name((enum exchange_state)c->ex.state),
			c->peer.conn.fd - FAKE_FD_FIRST);
	}
	MUST_HOLD(list_is_empty(&k->clients_open));
	MUST_HOLD(k->counters.active == 0);
	MUST_HOLD(k->counters.held == 0);
	MUST_HOLD(k->counters.clients == 0);
	MUST_HOLD(w->shared.clients_open == 0);
	MUST_HOLD(list_is_empty(&k->resolving));
	for (unsigned i = 0; i < w->n_generations; i++) {
		const struct rule_states *states = &w->generations[i]->states;

		for (unsigned r = 0; r < states->n; r++)
			MUST_HOLD(states->v[r]->active == 0);
		MUST_HOLD(states->common->active == 0);
		MUST_HOLD(w->generations[i]->references == (i + 1 == w->n_generations ? 1u : 0u));
	}
}

static void world_deinit(struct world *w)
{
	for (unsigned i = 0; i < FAKE_SOCKETS_MAX; i++) {
		struct fake_socket *s = fake_socket_at(i);

		if (s->used && !s->to_upstream && s->conn)
			fake_reset(s);
	}
	run(w);
	/* What still waits is for the far side of an upstream: a few timeouts one behind the other. */
	for (unsigned i = 0; i < 4; i++) {
		fake_advance(200 * NS_PER_S);
		run(w);
	}
	check_nothing_is_left(w);
	/* Its pools and blocks say themselves whether all came back. */
	worker_deinit(&w->worker);
	for (unsigned i = 0; i < w->n_generations; i++) {
		for (unsigned u = 0; u < w->generations[i]->plan->n_upstreams; u++)
			MUST_HOLD(w->generations[i]->upstreams[u]->open == 0);
	}
	while (w->n_generations)
		generation_free(w->generations[--w->n_generations]);
	traffic_free(w->traffic);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		text_deinit(&w->clients[i].to_send);
	fake_net_reset();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	struct world *w = &world;

	*w = (struct world){ .data = data, .left = size };
	world_init(w, next_byte(w) % ARRAY_LEN(files));
	for (unsigned i = 0; i < OPS_MAX && w->left; i++) {
		unsigned byte = next_byte(w);
		unsigned op = byte % OPS;

		if (op < 7)
			client_op(w, op);
		else if (op < 16)
			upstream_op(w, op - 7);
		else
			world_op(w, op - 16);
		/* Some come together with what follows: the program sees their edges in one round. */
		if (byte < TOGETHER)
			run(w);
	}
	run(w);
	for (unsigned i = 0; w->tidy && i < CLIENTS_MAX; i++) {
		if (!w->clients[i].unknown)
			check_answers(&w->clients[i]);
	}
	world_deinit(w);
	return 0;
}
