/*
 * heap: a long random run against an array that is searched linearly, and the edges.
 */
#include "base/heap.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NODES 300

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void check_places(const struct heap *h)
{
	for (uint32_t i = 0; i < h->n; i++) {
		cr_assert_eq(h->v[i]->pos, i);
		if (i > 0)
			cr_assert_leq(h->v[(i - 1) / 4]->key, h->v[i]->key);
	}
}

/* The least key of those that are in, by looking at all. */
static int64_t least_key(const struct heap_node *nodes, uint32_t *n_in)
{
	int64_t least = INT64_MAX;

	*n_in = 0;
	for (unsigned i = 0; i < NODES; i++) {
		if (!heap_has(&nodes[i]))
			continue;
		++*n_in;
		least = MIN(least, nodes[i].key);
	}
	return least;
}

static void run_random(uint64_t seed, int64_t keys)
{
	static struct heap_node nodes[NODES];
	struct heap h;

	random_state = seed;
	heap_init(&h);
	for (unsigned i = 0; i < NODES; i++)
		heap_node_init(&nodes[i]);
	for (unsigned step = 0; step < 20000; step++) {
		struct heap_node *node = &nodes[next_random() % NODES];
		int64_t key = (int64_t)(next_random() % (uint64_t)keys) - keys / 2;
		uint32_t n_in;
		int64_t least;

		if (!heap_has(node))
			cr_assert_eq(heap_insert(&h, node, key), 0);
		else if (next_random() % 2)
			heap_set_key(&h, node, key);
		else if (next_random() % 4 == 0 && step % 5000 > 4000)
			while (heap_top(&h))
				heap_remove(&h, heap_top(&h));
		else
			heap_remove(&h, node);
		least = least_key(nodes, &n_in);
		cr_assert_eq(h.n, n_in, "seed %llu step %u", (unsigned long long)seed, step);
		if (n_in)
			cr_assert(heap_top(&h) && heap_top(&h)->key == least, "seed %llu step %u", (unsigned long long)seed,
				step);
		else
			cr_assert_null(heap_top(&h));
		if (step % 64 == 0)
			check_places(&h);
	}
	heap_deinit(&h);
}

Test(heap, random_operations_against_a_model)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		run_random(seed, 1000000);
		run_random(seed, 7); /* mostly equal keys */
	}
}

Test(heap, comes_out_sorted)
{
	enum { N = 10000 };
	struct heap_node *nodes = calloc(N, sizeof(*nodes));
	int64_t last = INT64_MIN;
	struct heap h;

	cr_assert_not_null(nodes);
	random_state = 42;
	heap_init(&h);
	for (unsigned i = 0; i < N; i++) {
		heap_node_init(&nodes[i]);
		cr_assert_eq(heap_insert(&h, &nodes[i], (int64_t)next_random()), 0);
	}
	check_places(&h);
	for (unsigned i = 0; i < N; i++) {
		struct heap_node *top = heap_top(&h);

		cr_assert_not_null(top);
		if (!top) /* never: for the compiler, which cannot know that a failed assertion does not return */
			return;
		cr_assert_geq(top->key, last);
		last = top->key;
		heap_remove(&h, top);
		cr_assert_not(heap_has(top));
	}
	cr_expect_null(heap_top(&h));
	heap_deinit(&h);
	free(nodes);
}

Test(heap, extreme_keys)
{
	struct heap_node a, b, c;
	struct heap h;

	heap_init(&h);
	cr_expect_null(heap_top(&h));
	heap_node_init(&a);
	heap_node_init(&b);
	heap_node_init(&c);
	cr_assert_eq(heap_insert(&h, &a, INT64_MAX), 0);
	cr_assert_eq(heap_insert(&h, &b, INT64_MIN), 0);
	cr_assert_eq(heap_insert(&h, &c, 0), 0);
	cr_expect_eq(heap_top(&h), &b);
	heap_set_key(&h, &b, INT64_MAX);
	cr_expect_eq(heap_top(&h), &c);
	heap_remove(&h, &c);
	heap_remove(&h, &a);
	cr_expect_eq(heap_top(&h), &b);
	heap_remove(&h, &b);
	cr_expect_null(heap_top(&h));
	heap_deinit(&h);
}
