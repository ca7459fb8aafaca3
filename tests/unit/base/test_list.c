/*
 * list: order, and that a node in no list may be removed again.
 */
#include "base/list.h"

#include <criterion/criterion.h>

struct item {
	struct list node;
	char name;
};

static void expect_order(struct list *l, const char *names)
{
	struct list *i = l->next;

	for (; *names; names++, i = i->next) {
		cr_assert_neq(i, l, "ends before %c", *names);
		cr_assert_eq(i->next->prev, i);
		cr_expect_eq(container_of(i, struct item, node)->name, *names);
	}
	cr_expect_eq(i, l, "does not end");
}

Test(list, order_and_removal)
{
	struct item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
	struct list l;

	list_init(&l);
	list_init(&a.node);
	cr_expect(list_is_empty(&l));
	cr_expect_not(list_is_linked(&a.node));
	cr_expect_null(list_pop_front(&l));
	list_push_back(&l, &b.node);
	list_push_front(&l, &a.node);
	list_push_back(&l, &c.node);
	expect_order(&l, "abc");
	cr_expect(list_is_linked(&b.node));
	list_remove(&b.node);
	list_remove(&b.node);
	cr_expect_not(list_is_linked(&b.node));
	expect_order(&l, "ac");
	cr_expect_eq(list_pop_front(&l), &a.node);
	cr_expect_not(list_is_linked(&a.node));
	expect_order(&l, "c");
}

Test(list, splice)
{
	struct item items[4] = { { .name = 'a' }, { .name = 'b' }, { .name = 'c' }, { .name = 'd' } };
	struct list to, from;

	list_init(&to);
	list_init(&from);
	list_splice_back(&to, &from);
	expect_order(&to, "");
	list_push_back(&from, &items[0].node);
	list_push_back(&from, &items[1].node);
	list_splice_back(&to, &from);
	expect_order(&to, "ab");
	expect_order(&from, "");
	list_push_back(&from, &items[2].node);
	list_push_back(&from, &items[3].node);
	list_splice_back(&to, &from);
	expect_order(&to, "abcd");
	list_splice_back(&to, &from);
	expect_order(&to, "abcd");
}
