/*
 * pace: with a clock of the test's own. A stream is sent as fast as the pace allows, by a sender who wakes when told and always a
 * little late; how long it takes, and how much leaves in any second, is reckoned exactly.
 */
#include "proxy/pace.h"

#include <criterion/criterion.h>

#define EVENTS_MAX 100000

static struct {
	int64_t at_ns;
	size_t n;
} sent[EVENTS_MAX];
static size_t n_sent;

/* Sends so many bytes, waking late_ns after each moment; returns when the last one left. */
static int64_t send_all(struct pace *p, size_t bytes, int64_t late_ns)
{
	int64_t now = 0;

	n_sent = 0;
	p->next_ns = 0;
	while (bytes) {
		size_t n = pace_allows(p, now);

		if (!n) {
			cr_assert_gt(p->next_ns, now, "nothing is allowed, and no moment is told");
			now = p->next_ns + late_ns;
			continue;
		}
		n = MIN(n, bytes);
		cr_assert_lt(n_sent, EVENTS_MAX);
		sent[n_sent].at_ns = now;
		sent[n_sent++].n = n;
		pace_took(p, n, now);
		bytes -= n;
	}
	return now;
}

/* The most that left within any stretch of one second. */
static size_t most_in_a_second(void)
{
	size_t most = 0, sum = 0, from = 0;

	for (size_t to = 0; to < n_sent; to++) {
		sum += sent[to].n;
		while (sent[to].at_ns - sent[from].at_ns >= NS_PER_S)
			sum -= sent[from++].n;
		most = MAX(most, sum);
	}
	return most;
}

Test(pace, rate_is_met_and_never_exceeded)
{
	static const struct {
		uint64_t rate;
		size_t bytes;
		int64_t late_ns;
	} cases[] = {
		{ 65536, 1048576, 0 },
		{ 65536, 1048576, 60 * NS_PER_US },
		{ 65536, 1048576, 3 * NS_PER_MS },
		{ 1000, 20000, 100 * NS_PER_US },
		{ 7, 100, 100 * NS_PER_US },
		{ 50 * 1024 * 1024, 500 * 1024 * 1024, 80 * NS_PER_US },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pace p = { .rate = cases[i].rate };
		double want_s = (double)cases[i].bytes / (double)cases[i].rate;
		double took_s = (double)send_all(&p, cases[i].bytes, cases[i].late_ns) / 1e9;
		size_t quantum = MAX(cases[i].rate / (uint64_t)(NS_PER_S / PACE_QUANTUM_NS), (uint64_t)1);

		cr_expect_leq(took_s, want_s * 1.01 + (double)cases[i].late_ns / 1e9, "%zu: %f s for %f s", i, took_s, want_s);
		cr_expect_geq(took_s, want_s * 0.99 - (double)quantum / (double)cases[i].rate, "%zu: %f s for %f s", i, took_s,
			want_s);
		/* A late wake-up is made up for, by at most its own length. */
		cr_expect_leq(most_in_a_second(), cases[i].rate + 2 * quantum, "%zu: %zu in a second", i, most_in_a_second());
	}
}

Test(pace, a_pause_earns_no_credit)
{
	struct pace p = { .rate = 65536 };
	size_t first = pace_allows(&p, 0);

	pace_took(&p, first, 0);
	cr_expect_eq(pace_allows(&p, 1), 0);
	/* Ten idle seconds later it is one quantum again, and then a wait. */
	cr_expect_eq(pace_allows(&p, 10 * NS_PER_S), first);
	pace_took(&p, first, 10 * NS_PER_S);
	cr_expect_eq(pace_allows(&p, 10 * NS_PER_S), 0);
}

Test(pace, drips)
{
	struct pace p = { .drip_bytes = 3, .drip_every_ns = 100 * NS_PER_MS };

	cr_expect_eq(send_all(&p, 10, 0), 300 * NS_PER_MS);
	cr_expect_eq(n_sent, 4);
	cr_expect_eq(sent[0].n, 3);
	cr_expect_eq(sent[3].n, 1);
	for (size_t i = 1; i < n_sent; i++)
		cr_expect_geq(sent[i].at_ns - sent[i - 1].at_ns, 100 * NS_PER_MS);
}

Test(pace, the_slower_of_rate_and_drip)
{
	struct pace p = { .rate = 1000, .drip_bytes = 10, .drip_every_ns = NS_PER_MS };

	cr_expect_geq(send_all(&p, 1000, 0), 980 * NS_PER_MS);
	p = (struct pace){ .rate = 1000000, .drip_bytes = 10, .drip_every_ns = 10 * NS_PER_MS };
	cr_expect_eq(send_all(&p, 1000, 0), 990 * NS_PER_MS);
}

Test(pace, nothing_before_its_moment)
{
	struct pace p = { .next_ns = 5 };

	cr_expect(pace_is_set(&p));
	cr_expect_eq(pace_allows(&p, 4), 0);
	cr_expect_eq(pace_allows(&p, 5), SIZE_MAX);
}
