/*
 * log_care: what a user must hear of the logs while serving: that lines are lost, that a file could not be opened anew; and the
 * lines of other threads, written. Main thread alone.
 */
#ifndef BROWNOUT_CLI_LOG_CARE_H
#define BROWNOUT_CLI_LOG_CARE_H

#include "proxy/server.h"

struct log_care { /* zeroed to begin with */
	int64_t count_at_ns;
	uint64_t lost; /* that was said */
};

void log_care_look(struct log_care *care, struct server *server, int64_t now_ns);

#endif
