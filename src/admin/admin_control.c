/*
 * admin_control: the handlers that switch: disarm, arm, reset; and the list of what is under way.
 */
#include <stdlib.h>

#include "admin/admin_internal.h"
#include "admin/admin_json.h"
#include "base/log.h"

#define EXCHANGES_LIMIT 200 /* where nothing else is asked for */
#define EXCHANGES_LIMIT_MAX 10000

/* ---- bodies ---- */

/* {"held": "release" | "keep"}, or nothing. False after a was made the refusal. */
static bool read_held(const struct admin_request *r, enum server_held *held, struct admin_answer *a)
{
	const char *word = "release";
	json_t *root;
	bool known;

	*held = SERVER_HELD_RELEASE;
	if (r->body.n == 0)
		return true;
	root = admin_json_object(r->body, a);
	if (!root)
		return false;
	known = json_object_size(root) == 0 || (json_unpack(root, "{s:s!}", "held", &word) == 0);
	if (known && strcmp(word, "keep") == 0)
		*held = SERVER_HELD_KEEP;
	else if (!known || strcmp(word, "release") != 0)
		known = false;
	json_decref(root);
	if (!known)
		admin_answer_error(a, 400, "the body is {\"held\": \"release\"} or {\"held\": \"keep\"}, or there is none");
	return known;
}

/* ---- switches ---- */

/* The switch is thrown; where a worker is late it must not look as if all were well. */
static void answer_armed(struct server *server, unsigned n_late, const char *what, struct admin_answer *a)
{
	struct text late;

	log_info("%s by way of the admin listener", what);
	if (n_late) {
		text_init(&late);
		if (server_late_workers(server, &late))
			admin_answer_error(a, 503, "%s, but no sign of %.*s: it takes effect there when that comes round", what,
				SPAN_ARG(text_span(&late)));
		else
			n_late = 0;
		text_deinit(&late);
	}
	if (n_late)
		return;
	json_member_bool(admin_answer_begin_json(a), "armed", server_is_armed(server));
	admin_answer_end_json(a);
}

void admin_post_disarm(const struct admin_request *r, struct admin_answer *a)
{
	enum server_held held;

	if (!read_held(r, &held, a))
		return;
	answer_armed(r->admin->server, server_disarm(r->admin->server, held), "disarmed", a);
}

void admin_post_arm(const struct admin_request *r, struct admin_answer *a)
{
	answer_armed(r->admin->server, server_arm(r->admin->server), "armed", a);
}

void admin_post_reset(const struct admin_request *r, struct admin_answer *a)
{
	server_reset_counts(r->admin->server);
	a->status = 204;
}

/* ---- what is under way ---- */

static int compare_age(const void *a, const void *b)
{
	const struct server_exchange *x = a, *y = b;

	return x->age_ns > y->age_ns ? -1 : x->age_ns < y->age_ns;
}

/* null where it is empty. */
static void put_name(struct json *j, const char *key, const char *name)
{
	json_key(j, key);
	if (*name)
		json_c_string(j, name);
	else
		json_none(j);
}

static void put_exchange(struct json *j, const struct server_exchange *e)
{
	json_begin_object(j);
	json_member_hex(j, "id", e->id); /* as in the access log */
	json_key(j, "age_s");
	json_double(j, (double)(e->age_ns / NS_PER_US) / 1e6);
	json_member_string(j, "state", e->state);
	put_name(j, "rule", e->rule);
	json_member_string(j, "method", e->method);
	json_member_string(j, "target", e->target);
	put_name(j, "upstream", e->upstream);
	json_key(j, "status");
	if (e->status)
		json_u64(j, e->status);
	else
		json_none(j);
	json_end_object(j);
}

void admin_get_exchanges(const struct admin_request *r, struct admin_answer *a)
{
	struct server_exchange *v;
	struct json *j;
	uint64_t limit;
	int n;

	if (!admin_router_number(r, "limit", 1, EXCHANGES_LIMIT_MAX, EXCHANGES_LIMIT, &limit, a))
		return;
	v = malloc(limit * sizeof(*v));
	n = v ? server_exchanges(r->admin->server, v, (unsigned)limit) : -1;
	if (n < 0) {
		free(v);
		admin_answer_error(a, 503, "memory is out");
		return;
	}
	qsort(v, (size_t)n, sizeof(*v), compare_age);
	server_snapshot(r->admin->server, &r->admin->history->now);
	j = admin_answer_begin_json(a);
	json_member_i64(j, "total", MAX(atomic_load(&r->admin->history->now.total.active), n));
	json_key(j, "exchanges");
	json_begin_array(j);
	for (int i = 0; i < n; i++)
		put_exchange(j, &v[i]);
	json_end_array(j);
	admin_answer_end_json(a);
	free(v);
}
