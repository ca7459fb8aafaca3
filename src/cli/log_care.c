/*
 * log_care: losses are said now and then, with their count, and never for each line: a full disk would fill the console.
 */
#include "cli/log_care.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"

#define COUNT_EVERY_NS (5 * NS_PER_S)

static uint64_t count_lost(struct server *server)
{
	struct server_snapshot *snapshot = malloc(sizeof(*snapshot));
	uint64_t lost = 0;

	if (snapshot) {
		server_snapshot(server, snapshot);
		lost = server_snapshot_lost(snapshot);
	}
	free(snapshot);
	return lost;
}

void log_care_look(struct log_care *care, struct server *server, int64_t now_ns)
{
	int error = server_reopen_error(server);
	uint64_t lost;

	log_flush();
	if (error < 0)
		log_warning("a log cannot be opened anew, and the file that is open goes on: %s", strerror(-error));
	if (now_ns < care->count_at_ns)
		return;
	care->count_at_ns = now_ns + COUNT_EVERY_NS;
	lost = count_lost(server);
	if (lost > care->lost)
		log_warning("the logs take no more, or too slowly: %" PRIu64 " lines are lost so far", lost);
	care->lost = MAX(lost, care->lost);
}
