/*
 * admin_internal: what the files of the admin listener share. All of it belongs to the admin's thread once that runs.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_INTERNAL_H
#define BROWNOUT_ADMIN_ADMIN_INTERNAL_H

#include <pthread.h>

#include "admin/admin.h"
#include "admin/admin_conn.h"
#include "admin/admin_history.h"
#include "admin/live_file.h"
#include "config/source_edit.h"
#include "net/listener.h"

struct admin {
	struct server *server; /* NULL before admin_start, as is the file */
	struct live_file *file;
	struct loop *loop;
	struct listener listener;
	struct address bound;
	struct admin_auth auth;
	struct list conns; /* struct admin_conn */
	unsigned n_conns;
	admin_verdict_fn verdict; /* NULL: nobody is judged */
	void *verdict_arg;
	pthread_t thread;
	bool runs;
	int64_t start_ns; /* CLOCK_MONOTONIC */
	int64_t start_wall_ns;
	struct admin_history *history;
	struct timer second; /* takes a sample */
	struct post stop;
	struct timer tick; /* of the streams */
	struct list streams; /* struct admin_stream */
	unsigned n_streams;
	struct http_field fields[ADMIN_FIELDS_MAX]; /* of the head being parsed */
};

/*
 * 422 with every error and its place, as a place in what was sent or in what is shown: `lines` lines of the text from `line` on,
 * each from `column` on. What is elsewhere in the text has line 0, and file_line tells the line of the text.
 */
void admin_answer_refused(struct admin_answer *a, const struct diagnostics *d, const struct source_place *shown);
/* What the server could not take, though it is right: r is a negative errno, report may say more. */
void admin_answer_failed(struct admin_answer *a, int r, const struct text *report);
/* The members of /v1/totals, into an object that is open. */
void admin_write_totals(struct json *j, const struct server_snapshot *s);

#endif
