/*
 * traffic_map: each pair of a plan has the slot of its names, whatever its places in the plan are.
 */
#include "proxy/traffic_map.h"

#include <criterion/criterion.h>

static struct plan_route routes_a[] = { { .upstream = 0 }, { .upstream = 2 } };
static struct plan_route routes_b[] = { { .upstream = 1 } };
static struct plan_listener listeners[] = {
	{ .name = { "a", 1 }, .routes = routes_a, .n_routes = 2 },
	{ .name = { "b", 1 }, .routes = routes_b, .n_routes = 1 },
};
static struct plan_upstream upstreams[] = { { .name = { "x", 1 } }, { .name = { "y", 1 } }, { .name = { "z", 1 } } };

Test(traffic_map, slots_are_those_of_the_names)
{
	struct plan plan = { .listeners = listeners, .n_listeners = 2, .upstreams = upstreams, .n_upstreams = 3 };
	struct plan_listener turned[] = { listeners[1], listeners[0] };
	struct traffic *t = traffic_new();
	struct traffic_map m, n;
	unsigned slot;

	cr_assert_eq(traffic_map_init(&m, t, &plan), 0);
	cr_expect_eq(traffic_n(t), 1 + 2 + 3, "the others, two listeners without an upstream, three routes");
	slot = traffic_map_slot(&m, 0, 2);
	cr_expect(span_eq(traffic_pair(t, slot).listener, SPAN("a")));
	cr_expect(span_eq(traffic_pair(t, slot).upstream, SPAN("z")));
	slot = traffic_map_slot(&m, 1, UINT16_MAX);
	cr_expect(span_eq(traffic_pair(t, slot).listener, SPAN("b")));
	cr_expect_eq(traffic_pair(t, slot).upstream.n, 0);
	cr_expect_eq(traffic_map_slot(&m, 1, 0), TRAFFIC_OTHER, "no route leads there");
	/* Another file, other places. */
	plan.listeners = turned;
	cr_assert_eq(traffic_map_init(&n, t, &plan), 0);
	cr_expect_eq(traffic_map_slot(&n, 1, 2), traffic_map_slot(&m, 0, 2));
	cr_expect_eq(traffic_map_slot(&n, 0, UINT16_MAX), slot);
	cr_expect_eq(traffic_n(t), 6);
	traffic_map_deinit(&m);
	traffic_map_deinit(&n);
	traffic_free(t);
}

Test(traffic_map, one_too_large_counts_all_together)
{
	struct plan plan = { .listeners = listeners, .n_listeners = 1u << 16, .upstreams = upstreams, .n_upstreams = 1u << 15 };
	struct traffic *t = traffic_new();
	struct traffic_map m;

	cr_assert_eq(traffic_map_init(&m, t, &plan), 0);
	cr_expect_eq(traffic_map_slot(&m, 7, 9), TRAFFIC_OTHER);
	cr_expect_eq(traffic_n(t), 1);
	traffic_map_deinit(&m);
	traffic_free(t);
}
