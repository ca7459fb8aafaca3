/*
 * admin_metrics: GET /metrics.
 */
#include "admin/admin_internal.h"
#include "observe/metrics.h"

void admin_get_metrics(const struct admin_request *r, struct admin_answer *a)
{
	a->type = metrics_content_type(r->openmetrics);
	server_write_metrics(r->admin->server, r->openmetrics, &a->body);
}
