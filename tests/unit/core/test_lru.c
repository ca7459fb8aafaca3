/*
 * The table of keys in order of use, against a list that is kept by hand.
 */
#include "core/lru.h"

#include "fake.h"

struct item {
	struct lru_node lru;
	uint64_t value;
};

static struct item *item_find(struct lru *l, uint64_t key)
{
	return (struct item *)(void *)lru_find(l, lru_hash(1, key), 1, key);
}

static struct item *item_add(struct lru *l, uint64_t key, bool *evicted)
{
	return (struct item *)(void *)lru_add(l, lru_hash(1, key), 1, key, evicted);
}

/* The keys from the oldest on, as "3 1 2". */
static const char *order(const struct lru *l)
{
	static char text[256];
	size_t n = 0;

	text[0] = '\0';
	for (const struct lru_node *node = lru_oldest(l); node; node = lru_newer(l, node))
		n += (size_t)snprintf(text + n, sizeof(text) - n, n ? " %lu" : "%lu", node->key);
	return text;
}

Test(lru, oldest_goes_first)
{
	struct lru l;
	struct item *item;
	bool evicted;

	lru_init(&l, sizeof(struct item), 3);
	cr_assert_null(item_find(&l, 1));
	cr_assert_null(lru_oldest(&l));
	for (uint64_t key = 1; key <= 3; key++) {
		item = item_add(&l, key, &evicted);
		cr_assert_not(evicted);
		cr_assert_eq(item->value, 0);
		item->value = key * 10;
	}
	cr_assert_str_eq(order(&l), "1 2 3");
	cr_assert_eq(item_find(&l, 1)->value, 10);
	cr_assert_str_eq(order(&l), "2 3 1");
	item = item_add(&l, 4, &evicted);
	cr_assert(evicted);
	cr_assert_eq(item->value, 20, "what the forgotten key left is the caller's to clear");
	cr_assert_null(item_find(&l, 2));
	cr_assert_str_eq(order(&l), "3 1 4");
	cr_assert_null(lru_at(&l, 3));
	cr_assert_eq(lru_at(&l, 1)->key, 4);
	lru_deinit(&l);
	cr_assert_null(item_find(&l, 1));
}

Test(lru, pinned_nodes_stay)
{
	struct lru l;
	bool evicted;

	lru_init(&l, sizeof(struct item), 2);
	lru_pin(&l, &item_add(&l, 1, &evicted)->lru);
	cr_assert_not_null(item_add(&l, 2, &evicted));
	cr_assert_str_eq(order(&l), "2");
	cr_assert_not_null(item_add(&l, 3, &evicted));
	cr_assert(evicted);
	lru_pin(&l, &item_find(&l, 3)->lru);
	lru_pin(&l, &item_find(&l, 3)->lru);
	cr_assert_null(item_add(&l, 4, &evicted), "all are pinned");
	cr_assert_not_null(item_find(&l, 1));
	lru_unpin(&l, &item_find(&l, 1)->lru);
	lru_unpin(&l, &item_find(&l, 1)->lru);
	cr_assert_str_eq(order(&l), "1");
	cr_assert_not_null(item_add(&l, 4, &evicted));
	cr_assert_null(item_find(&l, 1));
	cr_assert_not_null(item_find(&l, 3));
	lru_deinit(&l);
}

/* Random use: the table knows exactly the keys that were used last. */
Test(lru, equals_a_list)
{
	uint64_t random = 5;
	uint64_t list[100]; /* oldest first */
	unsigned n = 0;
	struct lru l;

	lru_init(&l, sizeof(struct item), ARRAY_LEN(list));
	for (unsigned round = 0; round < 50000; round++) {
		uint64_t key = fake_below(&random, 150);
		struct item *item = item_find(&l, key);
		unsigned at = 0;
		bool evicted;

		while (at < n && list[at] != key)
			at++;
		cr_assert_eq(item != NULL, at < n, "key %lu in round %u", key, round);
		if (!item) {
			item = item_add(&l, key, &evicted);
			cr_assert_eq(evicted, n == ARRAY_LEN(list));
			item->value = key;
			if (evicted)
				at = 0;
			else
				n++;
		}
		cr_assert_eq(item->value, key);
		memmove(&list[at], &list[at + 1], (n - 1 - MIN(at, n - 1)) * sizeof(list[0]));
		list[n - 1] = key;
		cr_assert_eq(lru_oldest(&l)->key, list[0]);
	}
	cr_assert_eq(l.n, ARRAY_LEN(list));
	lru_deinit(&l);
}
