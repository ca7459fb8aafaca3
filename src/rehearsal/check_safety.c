/*
 * check_safety: was anything done twice, repeated in vain, or sent in copies? (M8 to M11, M17 to M19)
 */
#include "rehearsal/check.h"

#include <math.h>

/* Of a share, if all that was forgotten were against the client as well. */
static double worst_share(uint64_t bad, uint64_t n, uint64_t forgotten)
{
	return n + forgotten ? (double)(bad + forgotten) / (double)(n + forgotten) : 0;
}

void check_duplicates(const struct check_run *r)
{
	const struct tally_count *c = &r->t->lost_answers;
	struct check_value v = { .key = EXPECT_DUPLICATES_MAX, .value = (double)c->bad, .n = c->n, .how = c->how,
		.forgotten = r->t->forgotten.executed, .worst = CHECK_ANY };

	if (c->n == 0) {
		check_nothing(r, CHECK_DUPLICATES,
			"no answer to a request that may not be repeated was lost after the upstream had executed it");
		return;
	}
	(void)check_measure(r, &v);
	if (c->bad)
		check_say(r, CHECK_DUPLICATES, "executed by the upstream more than once: %llu", N(c->bad));
	else
		check_say(r, CHECK_DUPLICATES, "nothing was executed twice");
	check_say(r, CHECK_DUPLICATES, " (answers lost after the upstream had executed the request: %llu)", N(c->n));
}

void check_unsafe_retries(const struct check_run *r)
{
	const struct tally_count *c = &r->t->unsafe;
	struct check_value v = { .key = EXPECT_WITHOUT_KEY, .value = (double)c->bad, .n = c->n, .how = c->how,
		.forgotten = r->t->forgotten.unsafe, .worst = CHECK_ANY };

	if (c->n == 0) {
		check_nothing(r, CHECK_UNSAFE_RETRIES, "nothing that may not be repeated was repeated");
		return;
	}
	(void)check_measure(r, &v);
	check_say(r, CHECK_UNSAFE_RETRIES,
		"repeats of requests that may not be repeated just so: %llu; without an idempotency key, though the one before "
		"may have been executed: %llu",
		N(c->n), N(c->bad));
	if (r->t->unsafe_unsent)
		check_say(r, CHECK_UNSAFE_RETRIES, "; harmless, as nothing had reached the upstream: %llu",
			N(r->t->unsafe_unsent));
	if (r->t->unsafe_refused)
		check_say(r, CHECK_UNSAFE_RETRIES, "; harmless, as the upstream had refused the one before: %llu",
			N(r->t->unsafe_refused));
}

void check_idempotency_key(const struct check_run *r)
{
	const struct tally_count *keys = &r->t->keys, *used = &r->t->keys_used;
	struct check_value stable = { .key = EXPECT_KEY_STABLE, .value = keys->bad ? 0 : 1, .n = keys->n, .how = keys->how,
		.forgotten = r->t->forgotten.any, .worst = CHECK_ANY };
	struct check_value reused = { .key = EXPECT_KEY_REUSED, .value = (double)used->bad, .n = used->n, .how = used->how,
		.forgotten = r->t->forgotten.any, .worst = CHECK_ANY };

	if (keys->n + used->n == 0) {
		check_nothing(r, CHECK_IDEMPOTENCY_KEY, "no request with an idempotency key was repeated");
		return;
	}
	(void)check_measure(r, &stable);
	(void)check_measure(r, &reused);
	check_say(r, CHECK_IDEMPOTENCY_KEY,
		"%llu of %llu repeated requests kept one key; %llu of %llu keys that came again had another body",
		N(keys->n - keys->bad), N(keys->n), N(used->bad),
		N(used->n));
}

void check_pointless_retries(const struct check_run *r)
{
	const struct tally_count *c = &r->t->pointless;
	struct check_value v = { .key = EXPECT_POINTLESS_MAX, .value = (double)c->bad, .n = c->n, .how = c->how,
		.forgotten = r->t->forgotten.any, .worst = CHECK_ANY };

	if (c->n == 0) {
		check_nothing(r, CHECK_POINTLESS_RETRIES, "no answer that a repeat cannot change");
		return;
	}
	(void)check_measure(r, &v);
	check_say(r, CHECK_POINTLESS_RETRIES, "%llu of %llu answers that a repeat cannot change were followed by one",
		N(c->bad), N(c->n));
}

void check_hedging(const struct check_run *r)
{
	const struct tally *t = r->t;
	struct check_value v = { .key = EXPECT_HEDGE_RATIO, .n = t->hedged.n, .n_min = t->expect.min_samples,
		.how = t->hedged.how, .value = worst_share(t->hedged.bad, t->hedged.n, 0), .forgotten = t->forgotten.any,
		.worst = worst_share(t->hedged.bad, t->hedged.n, t->forgotten.any) };

	if (t->hedged.n == 0) {
		check_nothing(r, CHECK_HEDGING, "no requests");
		return;
	}
	(void)check_measure(r, &v);
	check_say(r, CHECK_HEDGING, "%llu of %llu logical requests had a second copy under way", N(t->hedged.bad),
		N(t->hedged.n));
	if (t->hedges)
		check_say(r, CHECK_HEDGING, "; of %llu copies %llu were cancelled", N(t->hedges),
			N(t->hedges_cancelled));
}

static void judge_new_connections(const struct check_run *r)
{
	const struct tally_count *c = &r->t->connections;
	struct check_value v = { .key = EXPECT_CONNECTIONS_PER_RETRY, .n = c->n, .n_min = 1, .how = c->how,
		.value = worst_share(c->bad, c->n, 0), .forgotten = r->t->forgotten.failed,
		.worst = worst_share(c->bad, c->n, r->t->forgotten.failed) };

	(void)check_measure(r, &v);
	if (c->n)
		check_say(r, CHECK_CONNECTIONS, "%llu of %llu retries came on a connection of their own; ", N(c->bad), N(c->n));
}

static void judge_after_close(const struct check_run *r)
{
	const struct tally_count *c = &r->t->closed;
	struct check_value v = { .key = EXPECT_CONNECTIONS_AFTER_CLOSE, .n = c->n + c->bad, .value = (double)c->bad };

	(void)check_measure(r, &v);
	if (v.n)
		check_say(r, CHECK_CONNECTIONS,
			"requests after an answer that closes the connection: %llu (such answers: %llu); ", N(c->bad), N(c->n));
}

static void judge_parallel(const struct check_run *r, uint32_t before, uint32_t during)
{
	struct check_value v = { .key = EXPECT_CONNECTIONS_PARALLEL, .n = during ? r->t->faults : 0, .value = during };

	(void)check_measure(r, &v);
	if (during)
		check_say(r, CHECK_CONNECTIONS, "open at a time: at most %u while faults were active, %u before; ", during,
			before);
}

void check_connections(const struct check_run *r)
{
	const struct tally *t = r->t;
	uint32_t first = bins_at(&t->bins, t->any.first_ns), during = 0;
	char *text = r->v->checks[CHECK_CONNECTIONS].text;

	if (t->faults)
		during = bins_connections(&t->bins, first, bins_at(&t->bins, t->any.last_ns) + 1);
	if (t->connections.n + t->closed.n + t->closed.bad + during == 0) {
		check_nothing(r, CHECK_CONNECTIONS, "no retries, and no answer that closes its connection");
		return;
	}
	judge_new_connections(r);
	judge_after_close(r);
	judge_parallel(r, bins_connections(&t->bins, 0, first), during);
	text[strlen(text) - 2] = '\0'; /* each part ends with a separator */
}

void check_quota(const struct check_run *r)
{
	const struct tally_count *c = &r->t->quota;
	struct check_value v = { .key = EXPECT_QUOTA_MAX, .value = (double)c->bad, .n = c->n,
		.forgotten = r->t->forgotten.quotas, .worst = CHECK_ANY };

	if (c->n == 0) {
		check_nothing(r, CHECK_QUOTA, "no answer said that a quota is used up");
		return;
	}
	(void)check_measure(r, &v);
	check_say(r, CHECK_QUOTA, "requests while a quota was used up: %llu (told so: %llu times)", N(c->bad),
		N(c->n));
}

void check_handling(const struct check_run *r)
{
	const struct tally_count *c = &r->t->handling;
	struct check_value v = { .key = EXPECT_HANDLING_MAX, .value = (double)c->bad, .n = c->n, .how = c->how,
		.forgotten = r->t->forgotten.any, .worst = CHECK_ANY };
	uint64_t maybe = r->t->maybe_followed_early;
	struct measure *m;

	if (c->n + maybe == 0) {
		check_nothing(r, CHECK_HANDLING, "nobody came back after 401, 417, 421 or 425, or a redirect with a wait");
		return;
	}
	m = check_measure(r, &v);
	check_say(r, CHECK_HANDLING, "%llu of %llu follow-ups did not do what the status asks for", N(c->bad), N(c->n));
	if (!maybe)
		return;
	if (m->status == CHECK_PASS || (c->n == 0 && m->limit.severity != EXPECT_OFF))
		m->status = CHECK_INCONCLUSIVE;
	check_say(r, CHECK_HANDLING, "; %llu came before the wait of a redirect to the same place was over, or by themselves",
		N(maybe));
}
