/*
 * admin_verdict: what the clients have come to so far. Who judges them is not known here.
 */
#include "admin/admin_internal.h"

void admin_set_verdict(struct admin *admin, admin_verdict_fn write, void *arg)
{
	if (!admin)
		return;
	admin->verdict = write;
	admin->verdict_arg = arg;
}

void admin_get_verdict(const struct admin_request *r, struct admin_answer *a)
{
	const struct admin *admin = r->admin;

	if (!admin->verdict) {
		admin_answer_error(a, 404,
			"nobody is judged: the rule file expects nothing, or did not when brownout was started");
		return;
	}
	if (admin->verdict(admin->verdict_arg, &a->body) < 0) {
		admin_answer_error(a, 503, "there is no memory for a verdict");
		return;
	}
	a->status = 200;
	a->type = "application/json";
}
