/*
 * The parts of the judge that have a life of their own: samples, bins, the order buffer, the contrast, the texts of a request.
 */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "rehearsal/bins.h"
#include "rehearsal/contrast.h"
#include "rehearsal/order.h"
#include "rehearsal/samples.h"
#include "rehearsal/waves.h"

Test(samples, quantiles_of_few_are_exact)
{
	static struct samples s;

	cr_assert_eq(samples_quantile(&s, 0.5), 0);
	for (unsigned i = 0; i < 11; i++)
		samples_add(&s, (i * 7) % 11);
	cr_assert_eq(samples_quantile(&s, 0), 0);
	cr_assert_eq(samples_quantile(&s, 0.5), 5);
	cr_assert_eq(samples_quantile(&s, 1), 10);
	cr_assert_float_eq(samples_quantile(&s, 0.25), 2.5, 1e-6);
}

Test(samples, many_are_sampled_fairly)
{
	static struct samples s;

	for (unsigned i = 0; i < 100000; i++)
		samples_add(&s, i);
	cr_assert_eq(s.n, 100000);
	cr_assert_float_eq(samples_quantile(&s, 0.5), 50000, 6000);
	cr_assert_float_eq(samples_quantile(&s, 0.9), 90000, 4000);
}

Test(bins, grow_wider_and_lose_nothing)
{
	static struct bins b;

	for (int64_t i = 0; i < 100000; i++)
		bins_add(&b, i * 300 * NS_PER_MS, BIN_ARRIVALS, 1);
	cr_assert_eq(bins_sum(&b, BIN_ARRIVALS, 0, b.n), 100000);
	cr_assert_gt(b.width_ns, BINS_WIDTH_NS);
	cr_assert_leq(b.n, BINS_MAX);
	cr_assert_eq(bins_at(&b, 0), 0);
	cr_assert_eq(bins_at(&b, INT64_MAX), b.n - 1);
}

Test(bins, a_time_before_all_others)
{
	static struct bins b;

	bins_add(&b, 100 * NS_PER_S, BIN_OK, 1);
	bins_add(&b, 40 * NS_PER_S, BIN_OK, 2);
	bins_add(&b, 0, BIN_OK, 4);
	cr_assert_eq(b.v[bins_at(&b, 0)].v[BIN_OK], 4);
	cr_assert_eq(b.v[bins_at(&b, 40 * NS_PER_S)].v[BIN_OK], 2);
	cr_assert_eq(b.v[bins_at(&b, 100 * NS_PER_S)].v[BIN_OK], 1);
	/* As far apart as times can be. */
	bins_add(&b, INT64_MAX / 4, BIN_OK, 8);
	cr_assert_eq(bins_sum(&b, BIN_OK, 0, b.n), 15);
}

static struct event ended(int64_t end_ns, uint64_t id)
{
	return (struct event){ .id = id, .first_ns = end_ns, .end_ns = end_ns };
}

Test(order, lets_go_in_order_once_nothing_earlier_can_come)
{
	struct order o;
	const struct event *e;
	int64_t last_ns = INT64_MIN;
	unsigned out = 0;

	order_init(&o);
	for (unsigned i = 0; i < 5000; i++) {
		/* Up to 0.9 s late. */
		struct event in = ended((int64_t)i * 10 * NS_PER_MS - (int64_t)(i * 7919 % 90) * 10 * NS_PER_MS, i);

		cr_assert(order_add(&o, &in));
		while ((e = order_take(&o, false)) != NULL) {
			cr_assert_geq(e->end_ns, last_ns);
			last_ns = e->end_ns;
			out++;
		}
	}
	cr_assert_gt(out, 4800);
	while ((e = order_take(&o, true)) != NULL) {
		cr_assert_geq(e->end_ns, last_ns);
		last_ns = e->end_ns;
		out++;
	}
	cr_assert_eq(out, 5000);
	order_deinit(&o);
}

/* In which order traces are named makes no difference. */
Test(order, of_what_is_at_the_same_time_the_trace_counts_last)
{
	for (uint16_t first = 0; first < 2; first++) {
		struct event in = { .id = 5, .first_ns = 1, .end_ns = 2, .kind = 9, .source = first };
		struct order o;

		order_init(&o);
		cr_assert(order_add(&o, &in));
		in = (struct event){ .id = 5, .first_ns = 1, .end_ns = 2, .kind = 8, .source = !first };
		cr_assert(order_add(&o, &in));
		cr_assert_eq(order_take(&o, true)->kind, 8);
		cr_assert_eq(order_take(&o, true)->kind, 9);
		order_deinit(&o);
	}
}

Test(order, what_comes_too_late_goes_at_once)
{
	struct order o;
	struct event in = ended(10 * NS_PER_S, 1);

	order_init(&o);
	cr_assert(order_add(&o, &in));
	cr_assert_null(order_take(&o, false));
	in = ended(NS_PER_S, 2);
	cr_assert(order_add(&o, &in));
	cr_assert_eq(order_take(&o, false)->id, 2);
	cr_assert_null(order_take(&o, false));
	order_deinit(&o);
}

/* What comes far out of order is not put in place by moving all that ended later: that would be quadratic. */
Test(order, the_worst_of_orders_moves_little)
{
	struct order o;

	order_init(&o);
	for (unsigned i = 0; i < 1000; i++) {
		struct event in = ended(1000 - i, i);

		cr_assert(order_add(&o, &in));
		cr_assert_leq(o.n_ring, ORDER_NEAR);
		cr_assert_eq(o.n_ring + o.n_heap, i + 1);
	}
	for (unsigned i = 0; i < 1000; i++)
		cr_assert_eq(order_take(&o, true)->end_ns, i + 1);
	cr_assert_null(order_take(&o, true));
	order_deinit(&o);
}

/* Those that can be in order, are: nothing goes before one that was there when it was let go. */
static void lets_go_in_order(uint64_t (*end_of)(uint64_t i), uint64_t n)
{
	uint64_t in = 0, out = 0, sum = 0, waiting_min;
	unsigned char *waits = calloc(n + 1, 1);
	const struct event *e;
	struct order o;

	cr_assert(waits);
	order_init(&o);
	waiting_min = n;
	while (out < n) {
		if (in < n) {
			struct event next = ended((int64_t)end_of(in), in);

			waits[end_of(in)]++;
			waiting_min = MIN(waiting_min, end_of(in));
			cr_assert(order_add(&o, &next));
			in++;
		}
		while ((e = order_take(&o, in == n)) != NULL) {
			while (!waits[waiting_min])
				waiting_min++;
			cr_assert_eq((uint64_t)e->end_ns, waiting_min);
			waits[waiting_min]--;
			sum += e->id;
			out++;
		}
	}
	cr_assert_eq(sum, n * (n - 1) / 2);
	order_deinit(&o);
	free(waits);
}

#define MANY UINT64_C(100000) /* more than are kept */

static uint64_t descending(uint64_t i)
{
	return MANY - i;
}

static uint64_t scattered(uint64_t i)
{
	return i * 7919 % MANY;
}

static uint64_t in_runs(uint64_t i)
{
	return i % 2 ? i : MANY - i;
}

Test(order, any_order_comes_out_as_sorted_as_there_is_room_for)
{
	lets_go_in_order(descending, MANY);
	lets_go_in_order(scattered, MANY);
	lets_go_in_order(in_runs, MANY);
}

/* ---- waves ---- */

/* More than are kept are looked at in parts; the worst of them counts. */
Test(waves, of_any_number)
{
	static struct waves w;

	w.min_wave = 8;
	for (int64_t i = 0; i < 5000; i++) {
		struct wave_retry retry = { .failed_ns = i * 100 * NS_PER_US, .came_ns = NS_PER_S + i * 100 * NS_PER_US,
			.id = (uint64_t)i + 1 };

		waves_add(&w, 1, false, &retry);
	}
	waves_finish(&w);
	cr_assert_gt(w.n_waves, 4);
	cr_assert_eq(w.worst.share, 1);
	cr_assert_leq(w.largest, 1001);
	cr_assert_eq(w.worst.window_ns, 100 * NS_PER_MS);
}

/* A tenth of the wait that half of them do not exceed, and not a moment more; fewer than make a wave are none. */
Test(waves, as_wide_as_their_window)
{
	static const int64_t late_ns[] = { 0, 0, 0, 100 * NS_PER_MS, 100 * NS_PER_MS };

	for (uint32_t min = 5; min <= 6; min++) {
		static struct waves w;

		w = (struct waves){ .min_wave = min };
		for (size_t i = 0; i < ARRAY_LEN(late_ns); i++) {
			struct wave_retry retry = { .came_ns = NS_PER_S + late_ns[i], .id = i + 1 };

			waves_add(&w, 1, false, &retry);
		}
		waves_finish(&w);
		cr_expect_eq(w.n_waves, min == 5);
		cr_expect_eq(w.largest, 5);
		cr_expect_eq(w.worst.share, min == 5);
	}
}

Test(waves, later_retries_are_not_looked_at)
{
	static struct waves w;
	struct wave_retry retry = { .came_ns = NS_PER_S };

	for (unsigned i = 0; i < 20; i++)
		waves_add(&w, WAVES_ATTEMPTS + 1, false, &retry);
	waves_finish(&w);
	cr_assert_eq(w.largest, 0);
}

/* ---- contrast ---- */

Test(contrast, what_comes_by_itself_is_no_sign)
{
	static struct contrast c;

	cr_assert_eq(contrast_horizon_ns(&c), INT64_MAX, "nothing is known");
	for (int64_t i = 0; i < 40; i++) {
		contrast_arrival(&c, i * NS_PER_S);
		contrast_ended(&c, i * NS_PER_S + 5 * NS_PER_MS, i % 4 == 0);
	}
	/* A follow-up after 995 ms: half a doubling below that is the bucket's edge. */
	cr_assert_gt(contrast_horizon_ns(&c), 700 * NS_PER_MS);
	cr_assert_leq(contrast_horizon_ns(&c), 995 * NS_PER_MS);
	cr_assert(contrast_is_rhythm(&c));
}

Test(contrast, retries_are_no_rhythm)
{
	static struct contrast c;

	for (int64_t i = 0; i < 40; i++) {
		bool faulted = i % 4 == 0;

		contrast_arrival(&c, i * NS_PER_S);
		contrast_ended(&c, i * NS_PER_S + 5 * NS_PER_MS, faulted);
		if (!faulted)
			continue;
		contrast_arrival(&c, i * NS_PER_S + 105 * NS_PER_MS);
		contrast_ended(&c, i * NS_PER_S + 110 * NS_PER_MS, false);
	}
	cr_assert_not(contrast_is_rhythm(&c));
	cr_assert_gt(contrast_horizon_ns(&c), 105 * NS_PER_MS);
}

/* Half of the faults are followed by a retry, nothing else by anything; the last ones had not long enough to be. */
Test(contrast, estimate)
{
	static struct contrast_sum sum;
	struct contrast_result r;

	for (unsigned i = 0; i < 100; i++) {
		struct contrast c = { .n_pending = 0 };
		int64_t at_ns = (int64_t)i * NS_PER_S;

		contrast_ended(&c, at_ns, i % 2);
		if (i % 4 == 1)
			contrast_arrival(&c, at_ns + 200 * NS_PER_MS);
		contrast_add(&sum, &c, 100 * NS_PER_S);
	}
	r = contrast_estimate(&sum);
	cr_assert(r.measured && r.identifiable);
	cr_assert_eq(r.p_others, 0);
	cr_assert_float_eq(r.retries_per_fault, 0.5, 0.05);
	cr_assert_lt(r.standard_error, 0.12);
}

Test(contrast, too_few_to_measure)
{
	static struct contrast_sum sum;
	struct contrast c = { .n_pending = 0 };

	contrast_ended(&c, 0, true);
	contrast_add(&sum, &c, NS_PER_S);
	cr_assert_not(contrast_estimate(&sum).measured);
}

/* ---- the texts of a request ---- */

#define ELLIPSIS "\xe2\x80\xa6"
/* Behind "GET " and before the NUL. */
#define TARGET_BYTES (JUDGE_REQUEST_BYTES - 5)

/* A target of n bytes and some: "/aaa...", and what it ends with. */
static const char *text_of_target(struct event *request, size_t n, const char *end)
{
	static char target[2 * JUDGE_REQUEST_BYTES];
	const struct judge_exchange e = { .method = SPAN("GET"), .target = span_of(target, n + strlen(end)) };

	memset(target, 'a', n);
	target[0] = '/';
	memcpy(target + n, end, strlen(end));
	event_of(request, &e);
	return request->request_text;
}

Test(request, a_text_that_fits_is_whole)
{
	struct event request;
	const char *text = text_of_target(&request, TARGET_BYTES, "");

	cr_assert_eq(strlen(text), JUDGE_REQUEST_BYTES - 1);
	cr_assert_null(strstr(text, ELLIPSIS), "%s", text);
	cr_assert_str_eq(text_of_target(&request, TARGET_BYTES - 2, "\xc3\xa4") + JUDGE_REQUEST_BYTES - 3, "\xc3\xa4");
}

Test(request, a_text_that_is_cut_says_so)
{
	struct event request;
	const char *text = text_of_target(&request, TARGET_BYTES, "b");

	cr_assert_eq(strlen(text), JUDGE_REQUEST_BYTES - 1);
	cr_assert_str_eq(text + JUDGE_REQUEST_BYTES - 6, "aa" ELLIPSIS);
}

/* Wherever characters of two to four bytes begin. */
Test(request, a_text_is_cut_between_characters)
{
	static const char *const ends[] = { "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
		"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80" };

	for (unsigned i = 0; i < ARRAY_LEN(ends); i++) {
		for (size_t n = TARGET_BYTES - 8; n <= TARGET_BYTES + 1; n++) {
			struct event request;
			const char *text = text_of_target(&request, n, ends[i]);
			struct span rest = span_of_string(text);
			bool cut = n + strlen(ends[i]) > TARGET_BYTES;

			cr_assert_lt(rest.n, JUDGE_REQUEST_BYTES);
			cr_assert_gt(rest.n + 4, JUDGE_REQUEST_BYTES - 4, "more was cut than had to: %s", text);
			cr_assert_eq(strstr(text, ELLIPSIS) != NULL, cut, "%s", text);
			cr_assert(!cut || strcmp(text + rest.n - 3, ELLIPSIS) == 0, "%s", text);
			while (rest.n) {
				unsigned length = span_utf8_length(rest);

				cr_assert_gt(length, 0, "not UTF-8: %s", text);
				rest = span_skip(rest, length);
			}
		}
	}
}

Test(request, a_method_without_end)
{
	struct judge_exchange e = { .target = SPAN("/items") };
	struct event request;
	char method[3 * JUDGE_REQUEST_BYTES], expected[JUDGE_REQUEST_BYTES];

	memset(method, 'M', sizeof(method));
	memset(expected, 'M', sizeof(expected) - 4);
	memcpy(expected + sizeof(expected) - 4, ELLIPSIS, 4);
	for (size_t n = JUDGE_REQUEST_BYTES; n < sizeof(method); n++) {
		e.method = span_of(method, n);
		e.client = e.method;
		event_of(&request, &e);
		cr_assert_str_eq(request.request_text, expected);
		cr_assert_str_eq(request.client_text + JUDGE_CLIENT_BYTES - 5, "M" ELLIPSIS);
	}
}
