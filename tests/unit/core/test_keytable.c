/*
 * Counting per key: exact, apart per rule, bounded, the key used longest ago leaves first, exact from several threads.
 */
#include "core/keytable.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include "core/random.h"

#define SHARDS 64

static uint64_t key_of(uint64_t n)
{
	return random_word(1, 0, 0, n, 0);
}

Test(keytable, counts_per_rule_and_key)
{
	struct keytable *t = keytable_new(KEYTABLE_KEYS_DEFAULT);

	for (uint64_t round = 1; round <= 3; round++) {
		for (uint64_t key = 0; key < 1000; key++) {
			cr_assert_eq(keytable_count(t, 1, key_of(key)), round);
			cr_assert_eq(keytable_count(t, 2, key_of(key)), round);
		}
	}
	cr_assert_eq(keytable_count(t, 7, 8), 1);
	cr_assert_eq(keytable_count(t, 8, 7), 1, "rule and key are not interchangeable");
	for (uint64_t rule = 100; rule < 3100; rule++)
		cr_assert_eq(keytable_count(t, key_of(rule), 5), 1, "rules with one key are told apart, also in one bucket");
	cr_assert_eq(keytable_size(t), 5002);
	cr_assert_eq(keytable_evictions(t), 0);
	keytable_free(t);
}

Test(keytable, is_bounded_and_counts_evictions)
{
	struct keytable *t = keytable_new(SHARDS * 20);

	for (uint64_t key = 0; key < 100000; key++)
		cr_assert_eq(keytable_count(t, 1, key_of(key)), 1);
	cr_assert_eq(keytable_size(t), SHARDS * 20);
	cr_assert_eq(keytable_evictions(t), 100000 - SHARDS * 20);
	keytable_free(t);
}

Test(keytable, bound_is_rounded_up_to_the_shards)
{
	static const struct {
		uint32_t max_keys;
		uint32_t size;
	} table[] = { { 0, SHARDS }, { 1, SHARDS }, { SHARDS, SHARDS }, { SHARDS + 1, 2 * SHARDS } };

	for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
		struct keytable *t = keytable_new(table[i].max_keys);

		for (uint64_t key = 0; key < 5000; key++)
			(void)keytable_count(t, 1, key_of(key));
		cr_assert_eq(keytable_size(t), table[i].size, "%u", table[i].max_keys);
		keytable_free(t);
	}
}

/* Keys that share a shard: in a table of one key per shard the second pushes the first out. */
static void find_shard_mates(uint64_t *keys, unsigned n)
{
	uint64_t candidate = 1;

	keys[0] = key_of(0);
	for (unsigned found = 1; found < n; candidate++) {
		struct keytable *t = keytable_new(1);

		(void)keytable_count(t, 1, keys[0]);
		(void)keytable_count(t, 1, key_of(candidate));
		if (keytable_evictions(t) == 1)
			keys[found++] = key_of(candidate);
		keytable_free(t);
	}
}

Test(keytable, key_used_longest_ago_leaves_first)
{
	struct keytable *t = keytable_new(SHARDS * 3);
	uint64_t k[5];

	find_shard_mates(k, ARRAY_LEN(k));
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(keytable_count(t, 1, k[i]), 1);
	cr_assert_eq(keytable_count(t, 1, k[0]), 2); /* order of use: 1 2 0 */
	cr_assert_eq(keytable_count(t, 1, k[2]), 2); /* 1 0 2: from the middle */
	cr_assert_eq(keytable_count(t, 1, k[2]), 3); /* the newest stays where it is */
	cr_assert_eq(keytable_count(t, 1, k[3]), 1); /* 0 2 3: 1 left */
	cr_assert_eq(keytable_evictions(t), 1);
	cr_assert_eq(keytable_count(t, 1, k[0]), 3); /* 2 3 0 */
	cr_assert_eq(keytable_count(t, 1, k[1]), 1); /* 3 0 1: anew; 2 left */
	cr_assert_eq(keytable_count(t, 1, k[4]), 1); /* 0 1 4: 3 left */
	cr_assert_eq(keytable_evictions(t), 3);
	cr_assert_eq(keytable_count(t, 1, k[0]), 4);
	cr_assert_eq(keytable_count(t, 1, k[1]), 2);
	cr_assert_eq(keytable_count(t, 1, k[4]), 2);
	cr_assert_eq(keytable_count(t, 1, k[2]), 1); /* it had left */
	keytable_free(t);
}

#define THREADS 4
#define ROUNDS 500
#define KEYS 300

static void *count_all(void *arg)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (uint64_t key = 0; key < KEYS; key++)
			(void)keytable_count(arg, 1, key_of(key));
	}
	return NULL;
}

Test(keytable, no_count_is_lost_between_threads)
{
	struct keytable *t = keytable_new(KEYTABLE_KEYS_DEFAULT);
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, count_all, t), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (uint64_t key = 0; key < KEYS; key++)
		cr_assert_eq(keytable_count(t, 1, key_of(key)), THREADS * ROUNDS + 1);
	keytable_free(t);
}
