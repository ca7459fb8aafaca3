/*
 * collector: what is in the rings when it ends is in the file; a full disk is counted; a rotated file is left.
 */
#include "observe/collector.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

static char directory[] = "/tmp/brownout-unit-XXXXXX";
static char path[64];
static char rotated[64];

static void make_directory(void)
{
	cr_assert(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/access.log", directory);
	(void)snprintf(rotated, sizeof(rotated), "%s/access.log.1", directory);
}

static void remove_directory(void)
{
	(void)unlink(path);
	(void)unlink(rotated);
	(void)rmdir(directory);
}

TestSuite(collector, .init = make_directory, .fini = remove_directory);

static struct collector *make(const char *access, enum access_format format)
{
	struct collector *c;
	struct collector_options options = { .access = access, .format = format };

	cr_assert_eq(collector_new(&c, &options), 0);
	return c;
}

static void put_ended(struct ring *ring, uint64_t id, int64_t end_ns)
{
	struct record *r = ring_begin(ring);

	cr_assert(r);
	memset(r, 0, sizeof(*r));
	r->id = id;
	r->end_ns = end_ns;
	r->status = 200;
	ring_commit(ring);
}

static void put(struct ring *ring, uint64_t id)
{
	put_ended(ring, id, 0);
}

/* The lines of a file that hold `part`; -1 where there is no such file. */
static int lines_with(const char *file, const char *part)
{
	FILE *f = fopen(file, "r");
	char line[4096];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += strstr(line, part) != NULL;
	fclose(f);
	return n;
}

Test(collector, writes_what_is_in_all_rings)
{
	struct collector *c = make(path, ACCESS_TEXT);
	struct ring *rings[3];

	for (unsigned i = 0; i < 3; i++) {
		rings[i] = ring_new(2048);
		cr_assert_eq(collector_add_ring(c, rings[i]), 0);
	}
	cr_assert_eq(collector_start(c), 0);
	/* Several batches' worth. */
	for (unsigned i = 0; i < 2000; i++) {
		put(rings[0], 0xa0000000u + i);
		if (i % 2 == 0)
			put(rings[1], 0xb0000000u + i);
	}
	collector_free(c);
	cr_expect_eq(lines_with(path, " id=a0000"), 2000);
	cr_expect_eq(lines_with(path, " id=b0000"), 1000);
	cr_expect_eq(lines_with(path, "\n"), 3000);
	cr_expect_eq(lines_with(path, " id=a00007cf\n"), 1);
	for (unsigned i = 0; i < 3; i++)
		ring_free(rings[i]);
}

/* Whichever worker they are of: what one look finds stands in the order in which it ended. */
Test(collector, lines_stand_in_the_order_of_time)
{
	static const uint8_t of[] = { 2, 0, 0, 1, 2, 2, 1, 0, 1, 1, 2, 0, 1, 1, 0, 0, 1, 1, 2, 2 };
	struct collector *c = make(path, ACCESS_TEXT);
	struct ring *rings[3];
	char line[4096], expected[32];
	FILE *f;

	for (unsigned i = 0; i < 3; i++) {
		rings[i] = ring_new(64);
		cr_assert_eq(collector_add_ring(c, rings[i]), 0);
	}
	for (unsigned i = 0; i < sizeof(of); i++)
		put_ended(rings[of[i]], 0x100 + i, NS_PER_S + i / 2);
	collector_free(c);
	f = fopen(path, "r");
	cr_assert(f);
	for (unsigned i = 0; i < sizeof(of); i += 2) {
		/* Of those that ended at once either may be the first. */
		for (unsigned k = 0; k < 2; k++) {
			cr_assert(fgets(line, sizeof(line), f));
			(void)snprintf(expected, sizeof(expected), " id=%x\n", 0x100 + i);
			if (strstr(line, expected))
				continue;
			(void)snprintf(expected, sizeof(expected), " id=%x\n", 0x101 + i);
			cr_assert(strstr(line, expected), "pair %u: %s", i / 2, line);
		}
	}
	cr_assert_not(fgets(line, sizeof(line), f));
	fclose(f);
	for (unsigned i = 0; i < 3; i++)
		ring_free(rings[i]);
}

Test(collector, writes_without_having_been_started)
{
	struct collector *c = make(path, ACCESS_JSON);
	struct ring *ring = ring_new(8);

	cr_assert_eq(collector_add_ring(c, ring), 0);
	put(ring, 5);
	cr_expect_eq(lines_with(path, "\n"), 0);
	collector_free(c);
	cr_expect_eq(lines_with(path, "\"id\":\"5\"}\n"), 1);
	ring_free(ring);
}

Test(collector, appends_to_what_is_there)
{
	for (unsigned i = 0; i < 2; i++) {
		struct collector *c = make(path, ACCESS_TEXT);
		struct ring *ring = ring_new(1);

		cr_assert_eq(collector_add_ring(c, ring), 0);
		put(ring, i);
		collector_free(c);
		ring_free(ring);
	}
	cr_expect_eq(lines_with(path, "\n"), 2);
}

Test(collector, opens_a_rotated_file_anew)
{
	struct collector *c = make(path, ACCESS_TEXT);
	struct ring *ring = ring_new(8);

	cr_assert_eq(collector_add_ring(c, ring), 0);
	cr_assert_eq(rename(path, rotated), 0);
	put(ring, 1);
	collector_reopen(c);
	collector_free(c);
	cr_expect_eq(lines_with(path, " id=1\n"), 1);
	cr_expect_eq(lines_with(rotated, "\n"), 0);
	ring_free(ring);
}

Test(collector, counts_what_a_full_disk_does_not_take)
{
	struct collector *c = make("/dev/full", ACCESS_TEXT);
	struct ring *ring = ring_new(16);

	cr_assert_eq(collector_add_ring(c, ring), 0);
	for (unsigned i = 0; i < 10; i++)
		put(ring, i);
	cr_assert_eq(collector_start(c), 0);
	while (collector_lost(c) < 10)
		usleep(1000);
	cr_expect_eq(collector_lost(c), 10);
	collector_free(c);
	ring_free(ring);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = MIN(bytes, limit.rlim_max);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Until what was put before has been seen. */
static void wait_seen(const struct collector *c)
{
	uint64_t passes = collector_passes(c);

	while (collector_passes(c) < passes + 2)
		usleep(1000);
}

/* The disk takes a line and a half, then nothing, then there is room again. */
Test(collector, a_line_that_was_cut_is_not_continued)
{
	struct collector *c = make(path, ACCESS_TEXT);
	struct ring *ring = ring_new(16);
	struct stat st;

	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(collector_add_ring(c, ring), 0);
	cr_assert_eq(collector_start(c), 0);
	put(ring, 1);
	wait_seen(c);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_gt(st.st_size, 50);
	limit_file_size((rlim_t)st.st_size * 5 / 2);
	put(ring, 2);
	put(ring, 3);
	put(ring, 4);
	wait_seen(c);
	put(ring, 5);
	wait_seen(c);
	cr_expect_eq(lines_with(path, "\n"), 2);
	cr_expect_eq(collector_lost(c), 3);
	limit_file_size(RLIM_INFINITY);
	put(ring, 6);
	collector_free(c);
	cr_expect_eq(lines_with(path, " id=2\n"), 1);
	cr_expect_eq(lines_with(path, " id=3\n"), 0);
	cr_expect_eq(lines_with(path, " id=6\n"), 1);
	cr_expect_eq(lines_with(path, "\n"), 4, "the half of a line has a line end of its own");
	ring_free(ring);
}

/* What was cut off stays where it is: the new file begins with a line. */
Test(collector, a_rotated_file_takes_its_cut_line_with_it)
{
	struct collector *c = make(path, ACCESS_TEXT);
	struct ring *ring = ring_new(16);

	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(collector_add_ring(c, ring), 0);
	limit_file_size(20);
	cr_assert_eq(collector_start(c), 0);
	put(ring, 1);
	wait_seen(c);
	cr_assert_eq(collector_lost(c), 1);
	limit_file_size(RLIM_INFINITY);
	cr_assert_eq(rename(path, rotated), 0);
	collector_reopen(c);
	put(ring, 2);
	collector_free(c);
	cr_expect_eq(lines_with(path, " id=2\n"), 1);
	cr_expect_eq(lines_with(path, ""), 1, "a line that ends what stands in another file");
	cr_expect_eq(lines_with(rotated, ""), 1);
	ring_free(ring);
}

Test(collector, says_where_a_file_cannot_be_opened)
{
	struct collector *c;
	struct collector_options options = { .access = "/nonexistent/access.log" };

	cr_expect_eq(collector_new(&c, &options), -ENOENT);
	options.access = directory;
	cr_expect_eq(collector_new(&c, &options), -EISDIR);
}

Test(collector, stderr_and_stdout_are_names)
{
	static const struct {
		const char *name;
		int fd;
	} cases[] = { { "stderr", STDERR_FILENO }, { "stdout", STDOUT_FILENO } };

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		int saved = dup(cases[i].fd);
		struct collector *c = make(cases[i].name, ACCESS_TEXT);
		struct ring *ring = ring_new(1);

		cr_assert_eq(collector_add_ring(c, ring), 0);
		put(ring, 3);
		dup2(file, cases[i].fd);
		collector_free(c);
		dup2(saved, cases[i].fd);
		close(file);
		close(saved);
		cr_expect_eq(lines_with(path, " id=3\n"), 1, "%s", cases[i].name);
		ring_free(ring);
	}
	/* Both are still open. */
	cr_expect_eq(fcntl(STDERR_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0, 0);
}

/* ---- trace ---- */

static struct rule rule = { .name = { "a-rule", 6 }, .text_hash = 0xabc };
static const struct ruleset rules = { .seed = 42, .v = &rule, .n = 1 };

static struct collector *make_tracing(const char *access)
{
	struct collector *c;
	struct collector_options options = { .access = access };

	cr_assert_eq(collector_new(&c, &options), 0);
	cr_assert_eq(collector_add_trace(c, path, &rules), 0);
	return c;
}

static void put_decided_by(struct ring *ring, uint64_t id, const struct ruleset *by, uint64_t generation)
{
	struct record *r = ring_begin(ring);
	struct record_decisions *d = ring_decisions(ring);

	cr_assert(r && d);
	memset(r, 0, sizeof(*r));
	r->id = id;
	r->rules = by;
	r->generation = generation;
	record_decisions_init(d);
	d->v[d->n++] = (struct decision){ .occurrence = id };
	r->decisions = d;
	ring_commit(ring);
}

static void put_decided(struct ring *ring, uint64_t id)
{
	put_decided_by(ring, id, &rules, 1);
}

Test(collector, trace_stands_beside_the_access_log)
{
	struct collector *c = make_tracing(rotated);
	struct ring *ring = ring_new(16);

	cr_expect_not(ring_wants_details(ring));
	cr_assert_eq(collector_add_ring(c, ring), 0);
	cr_expect(ring_wants_details(ring));
	cr_assert_eq(collector_start(c), 0);
	for (unsigned i = 1; i <= 10; i++)
		put_decided(ring, i);
	collector_free(c);
	cr_expect_eq(lines_with(rotated, "\n"), 10);
	cr_expect_eq(lines_with(path, "\n"), 13);
	cr_expect_eq(lines_with(path, "{\"end\":\"stopped\"}\n"), 1);
	cr_expect_eq(lines_with(path, "{\"trace\":1,\"seed\":\"42\",\"rules\":1,"), 1);
	cr_expect_eq(lines_with(path, "{\"rule\":\"a-rule\",\"text\":\"abc\"}\n"), 1);
	cr_expect_eq(lines_with(path, "\"decisions\":[{\"rule\":\"a-rule\""), 10);
	cr_expect_eq(lines_with(path, "\"occurrence\":7,"), 1);
	ring_free(ring);
}

/* A trace of one exchange, with this witness. */
static void trace_witness(const struct witness *witness)
{
	struct collector *c = make_tracing(NULL);
	struct ring *ring = ring_new(8);
	struct record *r;

	cr_assert_eq(collector_add_ring(c, ring), 0);
	r = ring_begin(ring);
	memset(r, 0, sizeof(*r));
	r->id = 1;
	r->rules = &rules;
	r->generation = 1;
	*ring_witness(ring) = *witness;
	r->witness = ring_witness(ring);
	ring_commit(ring);
	collector_free(c);
	ring_free(ring);
}

static const char *const hashes[] = { "fingerprint", "body", "logical", "maybe", "key", "credentials" };

/* So many lines have each of the hashes, with this beginning. */
static void expect_hashes(const char *value, unsigned from, int lines)
{
	char part[80];

	for (unsigned i = from; i < ARRAY_LEN(hashes); i++) {
		(void)snprintf(part, sizeof(part), "\"%s\":\"%s", hashes[i], value);
		cr_expect_eq(lines_with(path, part), lines, "%s", part);
	}
}

#define ALL_ALIKE                                                                                                               \
	.fingerprint = 0xabcd, .body_hash = 0xabcd, .logical_id = 0xabcd, .maybe_id = 0xabcd, .idempotency_key = 0xabcd,        \
	.credentials = 0xabcd, .client_n = 6, .client = "secret"

Test(collector, what_a_trace_hides)
{
	trace_witness(&(struct witness){ ALL_ALIKE, .hides = true, .from_header = true });
	expect_hashes("", 0, 1);
	expect_hashes("abcd\"", 0, 0);
	cr_expect_eq(lines_with(path, "secret"), 0);
	cr_expect_eq(lines_with(path, "\"client\":\"#"), 1);
}

Test(collector, what_a_trace_hides_of_a_query)
{
	trace_witness(&(struct witness){ ALL_ALIKE, .hides_query = true });
	cr_expect_eq(lines_with(path, "\"fingerprint\":\""), 1);
	cr_expect_eq(lines_with(path, "\"fingerprint\":\"abcd\""), 0);
	expect_hashes("abcd\"", 1, 1);
	cr_expect_eq(lines_with(path, "\"client\":\"secret\""), 1);
}

/* Nothing is not hidden: it would look like something. */
Test(collector, what_a_trace_has_nothing_to_hide_of)
{
	trace_witness(&(struct witness){ .hides = true });
	expect_hashes("", 0, 0);
}

Test(collector, trace_without_an_access_log)
{
	struct collector *c = make_tracing(NULL);
	struct ring *ring = ring_new(1);

	cr_assert_eq(collector_add_ring(c, ring), 0);
	put_decided(ring, 5);
	collector_set_end(c, TRACE_END_TIME_LIMIT);
	collector_free(c);
	cr_expect_eq(lines_with(path, "{\"id\":\"5\","), 1);
	cr_expect_eq(lines_with(path, "{\"end\":\"time_limit\"}\n"), 1);
	ring_free(ring);
}

Test(collector, a_trace_opened_anew_says_again_what_it_is_about)
{
	struct collector *c = make_tracing(NULL);
	struct ring *ring = ring_new(8);

	cr_assert_eq(collector_add_ring(c, ring), 0);
	cr_assert_eq(rename(path, rotated), 0);
	put_decided(ring, 1);
	collector_reopen(c);
	collector_free(c);
	cr_expect_eq(lines_with(rotated, "\n"), 2);
	cr_expect_eq(lines_with(path, "\n"), 4);
	cr_expect_eq(lines_with(path, "{\"trace\":1,"), 1);
	cr_expect_eq(lines_with(path, "{\"id\":\"1\","), 1);
	ring_free(ring);
}

Test(collector, rules_loaded_anew_are_told_before_what_they_decide)
{
	static struct rule other = { .name = { "b-rule", 6 }, .text_hash = 0xdef };
	static const struct ruleset others = { .seed = 43, .v = &other, .n = 1 };
	struct collector *c = make_tracing(NULL);
	struct ring *ring = ring_new(8);

	cr_assert_eq(collector_add_ring(c, ring), 0);
	put_decided_by(ring, 1, &rules, 1);
	put_decided_by(ring, 2, &others, 2);
	put_decided_by(ring, 3, &others, 2);
	collector_free(c);
	cr_expect_eq(lines_with(path, "\n"), 8);
	cr_expect_eq(lines_with(path, "{\"trace\":1,\"seed\":\"43\",\"rules\":1,"), 1);
	cr_expect_eq(lines_with(path, "\"text\":\"def\""), 1);
	cr_expect_eq(lines_with(path, "\"decisions\":[{\"rule\":\"b-rule\""), 2);
	ring_free(ring);
}

Test(collector, passes_tell_that_all_that_was_there_is_written)
{
	struct collector *c = make(path, ACCESS_TEXT);
	struct ring *ring = ring_new(8);
	uint64_t before = collector_passes(c);

	cr_assert_eq(collector_add_ring(c, ring), 0);
	cr_assert_eq(collector_start(c), 0);
	put(ring, 1);
	for (unsigned i = 0; i < 60000 && collector_passes(c) < before + 2; i++)
		usleep(1000);
	cr_expect_geq(collector_passes(c), before + 2);
	cr_expect_eq(lines_with(path, " id=1\n"), 1);
	collector_free(c);
	ring_free(ring);
}

struct outrunner {
	struct ring *ring;
	atomic_bool stop;
};

/* A worker that is faster than any collector: whatever place is free is filled at once. */
static void *outrun(void *arg)
{
	struct outrunner *o = arg;

	for (uint64_t id = 1; !atomic_load(&o->stop);) {
		struct record *r = ring_begin(o->ring);

		if (!r)
			continue;
		memset(r, 0, sizeof(*r));
		r->id = id++;
		r->end_ns = clock_mono_ns();
		ring_commit(o->ring);
	}
	return NULL;
}

static void take_slowly(void *arg, const struct record *r)
{
	(void)arg;
	(void)r;
	usleep(20);
}

/* Who waits for a pass, or is told the time by it, must not wait until the load is over. */
Test(collector, a_pass_comes_to_an_end_however_fast_the_workers_are, .timeout = 120)
{
	struct collector *c = make(path, ACCESS_TEXT);
	struct outrunner o = { .ring = ring_new(4096) };
	pthread_t thread;

	collector_set_sink(c, &(struct collector_sink){ .take = take_slowly });
	cr_assert_eq(collector_add_ring(c, o.ring), 0);
	cr_assert_eq(pthread_create(&thread, NULL, outrun, &o), 0);
	cr_assert_eq(collector_start(c), 0);
	for (unsigned i = 0; i < 30000 && collector_passes(c) < 3; i++)
		usleep(1000);
	cr_expect_geq(collector_passes(c), 3);
	atomic_store(&o.stop, true);
	pthread_join(thread, NULL);
	collector_free(c);
	ring_free(o.ring);
}

Test(collector, without_a_trace_no_decisions_are_kept)
{
	struct collector *c = make(path, ACCESS_TEXT);
	struct ring *ring = ring_new(8);

	cr_assert_eq(collector_add_ring(c, ring), 0);
	cr_expect_not(ring_wants_details(ring));
	cr_expect_null(ring_decisions(ring));
	collector_free(c);
	ring_free(ring);
}

Test(collector, says_where_a_trace_cannot_be_opened)
{
	struct collector *c;
	struct collector_options options = { .access = NULL };

	cr_assert_eq(collector_new(&c, &options), 0);
	cr_expect_eq(collector_add_trace(c, "/nonexistent/trace", &rules), -ENOENT);
	collector_free(c);
}
