/*
 * event: hashing, classing, and texts that no terminal or report takes offence at.
 */
#include "rehearsal/event.h"

#include "core/random.h"
#include "http/message.h"

/* The same in every run: traces of several processes are judged together. */
#define HASH_SEED UINT64_C(0x6a75646765)

#define TIME_MAX_NS (INT64_MAX / 4) /* so that no difference of two overflows */

static uint64_t mix(uint64_t a, uint64_t b)
{
	return random_word(HASH_SEED, a, b, 0, 0);
}

static int64_t bounded(int64_t ns)
{
	return MAX(MIN(ns, TIME_MAX_NS), 0);
}

static enum outcome outcome_of(const struct judge_exchange *e)
{
	switch (e->status) {
	case 0:
	case 408:
	case 425:
	case 429:
		return OUTCOME_FAILED;
	case 413:
		return e->wait_ns >= 0 ? OUTCOME_FAILED : OUTCOME_REFUSED;
	case 501:
	case 505:
		return OUTCOME_REFUSED;
	default:
		break;
	}
	if (e->status >= 500 || !e->complete)
		return OUTCOME_FAILED;
	return e->status >= 400 ? OUTCOME_REFUSED : OUTCOME_OK;
}

static uint16_t flags_of(const struct judge_exchange *e)
{
	unsigned flags = 0;

	if (e->forwarded)
		flags |= EVENT_FORWARDED;
	if (e->upstream_status >= 200 && e->upstream_status < 300)
		flags |= EVENT_EXECUTED;
	if (e->upstream_status >= 400 && e->upstream_status < 500)
		flags |= EVENT_REFUSED_THERE;
	if (e->abort_ns)
		flags |= EVENT_LEFT;
	if (e->rule >= 0)
		flags |= EVENT_FAULTED;
	if (e->expect)
		flags |= EVENT_EXPECT;
	if (e->early_data)
		flags |= EVENT_EARLY_DATA;
	if (e->keeps)
		flags |= EVENT_KEEPS;
	if (e->closes)
		flags |= EVENT_CLOSES;
	if (!http_method_is_idempotent(http_method_of(e->method)))
		flags |= EVENT_UNSAFE;
	return (uint16_t)flags;
}

static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f;
}

/* How many of the first max bytes are printable ASCII, eight at a time, as nearly all are. */
static size_t plain(struct span s, size_t max)
{
	const uint64_t ones = UINT64_MAX / 0xff;
	size_t n = 0;

	max = MIN(max, s.n);
	for (; max - n >= sizeof(uint64_t); n += sizeof(uint64_t)) {
		uint64_t w;

		memcpy(&w, &s.p[n], sizeof(w));
		/* The top bit of a byte is set where it is 0x80 or more, below a space, or 0x7f. */
		if ((w | (w - ones * ' ') | (w + ones)) & ones << 7)
			break;
	}
	while (n < max && is_plain(s.p[n]))
		n++;
	return n;
}

#define ELLIPSIS "\xe2\x80\xa6"

/* There is more: said in place of the last characters, as few of them as make room. There is room for it alone. */
static void put_ellipsis(char *to, size_t *at, size_t cap)
{
	if (*at + sizeof(ELLIPSIS) > cap) {
		*at = cap - sizeof(ELLIPSIS);
		while (*at > 0 && ((unsigned char)to[*at] & 0xc0) == 0x80)
			(*at)--;
	}
	memcpy(&to[*at], ELLIPSIS, sizeof(ELLIPSIS) - 1);
	*at += sizeof(ELLIPSIS) - 1;
}

/* Cut at the end, at a whole character, and shown so; what is not printable or not UTF-8 becomes a question mark. */
static void put_text(char *to, size_t *at, size_t cap, struct span s)
{
	size_t i = plain(s, cap - 1 - *at);

	if (i)
		memcpy(&to[*at], s.p, i);
	*at += i;
	while (i < s.n && *at + 1 < cap) {
		unsigned n;

		if (is_plain(s.p[i])) {
			to[(*at)++] = s.p[i++];
			continue;
		}
		n = span_utf8_length(span_skip(s, i));
		if (*at + MAX(n, 1u) >= cap)
			break;
		if (n > 1)
			memcpy(&to[*at], &s.p[i], n);
		else
			to[*at] = '?';
		*at += MAX(n, 1u);
		i += MAX(n, 1u);
	}
	if (i < s.n)
		put_ellipsis(to, at, cap);
	to[*at] = '\0';
}

static struct span path_of(struct span target)
{
	return span_first(target, span_find(target, '?'));
}

/* Who sent what, as hashes and as text. */
static void name(struct event *to, const struct judge_exchange *e)
{
	uint64_t print = e->fingerprint;
	size_t at = 0;

	if (!print)
		print = mix(mix(random_hash(1, e->method), random_hash(2, e->host)),
			mix(random_hash(3, e->target), e->body_hash));
	to->client = random_hash(HASH_SEED, e->client);
	to->host = mix(to->client, random_hash(HASH_SEED, e->host));
	to->path = mix(to->host, random_hash(HASH_SEED, path_of(e->target)));
	to->place = mix(to->client, hint_place(e->host, e->target));
	to->loose = mix(to->client, print);
	to->kind = e->body_hash ? mix(to->loose, e->body_hash) : to->loose;
	to->redirect = e->redirect ? mix(to->client, e->redirect) : 0;
	put_text(to->request_text, &at, sizeof(to->request_text), e->method);
	put_text(to->request_text, &at, sizeof(to->request_text), SPAN(" "));
	put_text(to->request_text, &at, sizeof(to->request_text), e->target);
	at = 0;
	put_text(to->client_text, &at, sizeof(to->client_text), e->client);
}

void event_set_times(struct event *to, int64_t first_ns, int64_t last_ns, int64_t hdr_ns, int64_t end_ns)
{
	to->first_ns = bounded(first_ns);
	to->last_ns = bounded(last_ns);
	to->hdr_ns = bounded(hdr_ns);
	to->end_ns = MAX(bounded(end_ns), to->first_ns);
}

bool event_is_plain(const struct event *e)
{
	const unsigned usual = EVENT_FORWARDED | EVENT_EXECUTED | EVENT_KEEPS | EVENT_UNSAFE;

	if (e->outcome != OUTCOME_OK || e->status / 100 != 2 || e->flags & ~usual || e->wait_ns >= 0 || e->quota_ns >= 0)
		return false;
	if (e->logical_id | e->maybe_id | e->idempotency_key | e->redirect | e->attempt | e->attempt_max)
		return false;
	return !e->deadline_ns && !e->delay_ns && !e->after_close_ns;
}

void event_of(struct event *to, const struct judge_exchange *e)
{
	memset(to, 0, offsetof(struct event, request_text));
	to->id = e->id;
	event_set_times(to, e->first_ns, e->last_ns, e->hdr_ns, e->abort_ns ? e->abort_ns : e->end_ns);
	name(to, e);
	to->body_hash = e->body_hash;
	to->logical_id = e->logical_id;
	to->maybe_id = e->maybe_id;
	to->idempotency_key = e->idempotency_key;
	to->credentials = e->credentials;
	to->connection = e->connection;
	to->deadline_ns = bounded(e->deadline_ns);
	to->delay_ns = bounded(e->delay_ns);
	to->wait_ns = e->wait_ns < 0 ? -1 : bounded(e->wait_ns);
	to->quota_ns = e->quota_ns < 0 ? -1 : bounded(e->quota_ns);
	to->after_close_ns = bounded(e->after_close_ns);
	to->connections = e->connections;
	to->rule = e->rule;
	to->source = e->source;
	to->attempt = e->attempt;
	to->attempt_max = e->attempt_max;
	to->status = e->status;
	to->flags = flags_of(e);
	to->outcome = (uint8_t)(e->abort_ns ? OUTCOME_FAILED : outcome_of(e));
	to->hint = e->hint;
	to->plain = event_is_plain(to);
}
