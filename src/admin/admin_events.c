/*
 * admin_events: who listens, and when something is written to whom. One timer serves all streams; without a stream it rests,
 * and nothing here costs anything.
 */
#include "admin/admin_events.h"

#include "admin/admin_internal.h"
#include "base/log.h"
#include "http/uri.h"
#include "observe/recent.h"

#define TICK_NS (100 * NS_PER_MS)
#define STREAM_RATE 50 /* exchanges a second where nothing else is asked for */

/* ---- writing ---- */

static bool has_room(const struct admin_stream *stream)
{
	return admin_conn_owed(stream->conn) < ADMIN_STREAM_BYTES_MAX;
}

/* An event whose data is one line. */
static void put_event(struct admin_stream *stream, const char *name, struct span data)
{
	struct text *out = admin_conn_out(stream->conn);

	text_put_literal(out, "event: ");
	text_put_string(out, name);
	text_put_literal(out, "\ndata: ");
	text_put_span(out, data);
	text_put_literal(out, "\n\n");
}

static void put_totals(struct admin_stream *stream, const struct admin_history *h)
{
	struct text data;
	struct json j;

	text_init(&data);
	json_init(&j, &data, 0);
	json_begin_object(&j);
	admin_write_totals(&j, &h->now);
	json_member_u64(&j, "exchanges_skipped", stream->skipped);
	json_end_object(&j);
	put_event(stream, "totals", text_span(&data));
	text_deinit(&data);
	stream->skipped = 0;
}

static void put_sample(struct admin_stream *stream, const struct admin_history *h)
{
	struct text data;
	struct json j;

	if (h->n == 0)
		return;
	text_init(&data);
	json_init(&j, &data, 0);
	json_begin_object(&j);
	admin_history_write(&j, h, 0);
	json_end_object(&j);
	put_event(stream, "sample", text_span(&data));
	text_deinit(&data);
}

static void put_generation(struct admin_stream *stream, const struct server *server)
{
	char block[40];
	struct text data;

	stream->generation = server_generation(server);
	text_init_fixed(&data, block, sizeof(block));
	text_put_literal(&data, "{\"generation\":");
	text_put_u64(&data, stream->generation);
	text_put_char(&data, '}');
	put_event(stream, "generation", text_span(&data));
}

static void put_armed(struct admin_stream *stream, const struct server *server)
{
	stream->armed = server_is_armed(server);
	put_event(stream, "armed", stream->armed ? SPAN("{\"armed\":true}") : SPAN("{\"armed\":false}"));
}

/* Where there is no room the next tick looks again. */
static void put_changes(struct admin_stream *stream, const struct server *server)
{
	if (stream->generation != server_generation(server) && has_room(stream))
		put_generation(stream, server);
	if (stream->armed != server_is_armed(server) && has_room(stream))
		put_armed(stream, server);
}

/* ---- exchanges ---- */

struct exchanges {
	struct admin_stream *stream;
	uint64_t n;
};

static void put_exchange(void *arg, uint64_t seq, struct span json)
{
	struct exchanges *e = arg;
	struct text *out = admin_conn_out(e->stream->conn);

	if (!has_room(e->stream))
		return;
	text_put_literal(out, "id: ");
	text_put_u64(out, seq);
	text_put_char(out, '\n');
	put_event(e->stream, "exchange", json);
	e->n++;
}

/* What the time since the last call allows, a second's worth at most. */
static unsigned take_credit(struct admin_stream *stream, int64_t now_ns)
{
	uint64_t elapsed_ms = (uint64_t)MIN((now_ns - stream->credited_ns) / NS_PER_MS, INT64_C(1000));
	uint64_t credit = MIN(stream->credit + elapsed_ms * stream->per_second, UINT64_C(1000) * stream->per_second);

	stream->credited_ns += (int64_t)elapsed_ms * NS_PER_MS;
	if (now_ns - stream->credited_ns > NS_PER_S)
		stream->credited_ns = now_ns;
	stream->credit = (unsigned)credit;
	return MIN(stream->credit / 1000, (unsigned)RECENT_MAX);
}

static void put_exchanges(struct admin_stream *stream, struct recent *recent, int64_t now_ns)
{
	struct exchanges e = { .stream = stream };
	struct recent_query q = {
		.choice = stream->notable ? RECENT_NOTABLE : RECENT_NOTABLE_FIRST,
		.since = stream->since,
		.max = take_credit(stream, now_ns),
		.rule = span_of(stream->rule, stream->rule_n),
	};
	uint64_t last = recent_read(recent, &q, put_exchange, &e);

	/* Of a stream that wants some only, what it does not want was not left out. */
	if (!stream->notable)
		stream->skipped += last - stream->since - e.n;
	stream->since = last;
	stream->credit -= (unsigned)MIN(e.n * 1000, (uint64_t)stream->credit);
}

/* ---- time ---- */

static void set_tick(struct admin *admin)
{
	if (timer_set(admin->loop, &admin->tick, loop_now_ns(admin->loop) + TICK_NS) < 0)
		log_error("admin: no memory for events of exchanges");
}

void admin_events_tick(struct timer *timer)
{
	struct admin *admin = container_of(timer, struct admin, tick);
	struct recent *recent = server_recent(admin->server);
	int64_t now_ns = loop_now_ns(admin->loop);

	for (struct list *node = admin->streams.next; node != &admin->streams; node = node->next) {
		struct admin_stream *stream = container_of(node, struct admin_stream, node);

		put_changes(stream, admin->server);
		if (recent && stream->per_second)
			put_exchanges(stream, recent, now_ns);
		admin_conn_send(stream->conn);
	}
	if (!list_is_empty(&admin->streams))
		set_tick(admin);
}

void admin_events_second(struct admin *admin)
{
	for (struct list *node = admin->streams.next; node != &admin->streams; node = node->next) {
		struct admin_stream *stream = container_of(node, struct admin_stream, node);

		if (!has_room(stream))
			continue;
		put_totals(stream, admin->history);
		put_sample(stream, admin->history);
		admin_conn_send(stream->conn);
	}
}

/* ---- streams ---- */

void admin_events_begin(struct admin_stream *stream, struct admin_conn *conn)
{
	struct admin *admin = conn->admin;

	stream->conn = conn;
	stream->credit = stream->per_second * 1000;
	stream->credited_ns = loop_now_ns(admin->loop);
	if (list_is_empty(&admin->streams))
		set_tick(admin);
	list_push_back(&admin->streams, &stream->node);
	admin->n_streams++;
	server_snapshot(admin->server, &admin->history->now);
	put_totals(stream, admin->history);
	put_generation(stream, admin->server);
	put_armed(stream, admin->server);
}

void admin_events_end(struct admin_stream *stream)
{
	if (!stream->conn)
		return;
	list_remove(&stream->node);
	stream->conn->admin->n_streams--;
	stream->conn = NULL;
}

/* ---- asking for one ---- */

/* From where on: after `since` where it was given, else from now. A number of an earlier run may be too great. */
static uint64_t first_seen(struct recent *recent, uint64_t since)
{
	return MIN(recent_last(recent), since);
}

void admin_get_events(const struct admin_request *r, struct admin_answer *a)
{
	struct recent *recent = server_recent(r->admin->server);
	struct admin_stream *stream = &a->stream;
	uint64_t rate, notable, since;
	struct span rule;

	if (!admin_router_number(r, "exchanges", 0, ADMIN_STREAM_RATE_MAX, STREAM_RATE, &rate, a) ||
		!admin_router_number(r, "faulted", 0, 1, 0, &notable, a) ||
		!admin_router_number(r, "since", 0, UINT64_MAX - 1, UINT64_MAX, &since, a))
		return;
	if (r->admin->n_streams >= ADMIN_STREAMS_MAX) {
		admin_answer_error(a, 503, "there are %d streams of events already", ADMIN_STREAMS_MAX);
		return;
	}
	rule = http_query_value(r->query, SPAN("rule"), stream->rule, sizeof(stream->rule));
	stream->rule_n = rule.n;
	stream->per_second = (unsigned)rate;
	stream->notable = notable || rule.n;
	stream->since = recent ? first_seen(recent, since) : 0;
	a->streams = true;
	a->type = "text/event-stream";
}
