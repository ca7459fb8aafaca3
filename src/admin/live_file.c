/*
 * live_file: see live_file.h.
 */
#include "admin/live_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define ERROR_BYTES 512

struct live_file {
	struct server *server;
	struct live_file_options options;
	pthread_mutex_t lock; /* one change at a time; guards the texts */
	struct text source; /* in force */
	struct text read; /* the file's, as it was last read */
};

int live_file_new(struct live_file **file, struct server *server, const struct live_file_options *options, struct span source)
{
	struct live_file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->server = server;
	f->options = *options;
	(void)pthread_mutex_init(&f->lock, NULL);
	text_init(&f->source);
	text_init(&f->read);
	text_put_span(&f->source, source);
	text_put_span(&f->read, source);
	if (f->source.cut || f->read.cut) {
		live_file_free(f);
		return -ENOMEM;
	}
	*file = f;
	return 0;
}

void live_file_free(struct live_file *f)
{
	if (!f)
		return;
	text_deinit(&f->source);
	text_deinit(&f->read);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

const char *live_file_name(const struct live_file *f)
{
	return f->options.name;
}

bool live_file_is_file(const struct live_file *f)
{
	return f->options.is_file;
}

bool live_file_is_read(struct live_file *f)
{
	struct text now;
	bool same = true;

	text_init(&now);
	(void)pthread_mutex_lock(&f->lock);
	if (load_read_file(f->options.name, &now) == 0)
		same = span_eq(text_span(&now), text_span(&f->read));
	(void)pthread_mutex_unlock(&f->lock);
	text_deinit(&now);
	return same;
}

void live_file_source(struct live_file *f, struct text *out)
{
	plan_unref(live_file_plan_ref(f, out));
}

struct plan *live_file_plan_ref(struct live_file *f, struct text *out)
{
	struct plan *plan;

	(void)pthread_mutex_lock(&f->lock);
	text_put_span(out, text_span(&f->source));
	plan = server_plan_ref(f->server);
	(void)pthread_mutex_unlock(&f->lock);
	return plan;
}

/* Serves a plan that was loaded from `source`. */
static int serve(struct live_file *f, struct plan *plan, struct span source, struct text *report)
{
	char error[ERROR_BYTES] = "";
	struct text copy;
	int r;

	/* Before anything changes: without memory for the text nothing does. */
	text_init(&copy);
	text_put_span(&copy, source);
	if (copy.cut) {
		text_put_literal(report, "memory is out\n");
		text_deinit(&copy);
		return -ENOMEM;
	}
	if (f->options.adjust)
		f->options.adjust(plan, f->options.arg);
	r = server_reload(f->server, plan, report, error, sizeof(error));
	if (r < 0) {
		text_printf(report, "%s\n", error);
		text_deinit(&copy);
		return r;
	}
	text_deinit(&f->source);
	f->source = copy;
	return 0;
}

/* With the lock. */
static int replace(struct live_file *f, struct span source, struct diagnostics *d, struct text *report)
{
	struct plan *plan;
	int r;

	if (source.n > LOAD_FILE_BYTES_MAX) {
		text_printf(report, "a rule file has %d bytes at most\n", LOAD_FILE_BYTES_MAX);
		return -EFBIG;
	}
	r = load_plan(f->options.name, source, &f->options.load, &plan, d);
	if (r < 0)
		text_printf(report, "%s\n", strerror(-r));
	if (r != 0)
		return r;
	r = serve(f, plan, source, report);
	plan_unref(plan);
	return r;
}

int live_file_replace(struct live_file *f, struct span source, struct diagnostics *d, struct text *report)
{
	int r;

	(void)pthread_mutex_lock(&f->lock);
	r = replace(f, source, d, report);
	(void)pthread_mutex_unlock(&f->lock);
	return r;
}

int live_file_edit(struct live_file *f, live_file_edit_fn edit, void *arg, struct diagnostics *d, struct text *report)
{
	struct plan *plan;
	struct text edited;
	int r = -ECANCELED;

	text_init(&edited);
	(void)pthread_mutex_lock(&f->lock);
	plan = server_plan_ref(f->server);
	if (edit(arg, plan, text_span(&f->source), &edited, d))
		r = edited.cut ? -ENOMEM : replace(f, text_span(&edited), d, report);
	plan_unref(plan);
	(void)pthread_mutex_unlock(&f->lock);
	text_deinit(&edited);
	return r;
}

/* What the file says now is not news any more. Without memory it may be read once more than is needed. */
static void note_read(struct live_file *f, struct span source)
{
	text_clear(&f->read);
	text_put_span(&f->read, source);
}

int live_file_read(struct live_file *f, struct text *source, struct diagnostics *d, struct text *report)
{
	int r;

	if (!f->options.is_file) {
		text_put_literal(report, "there is no file to be read again\n");
		return -ENOENT;
	}
	(void)pthread_mutex_lock(&f->lock);
	r = load_read_file(f->options.name, source);
	if (r == -EFBIG)
		text_printf(report, "%s: a rule file has %d bytes at most\n", f->options.name, LOAD_FILE_BYTES_MAX);
	else if (r < 0)
		text_printf(report, "%s: %s\n", f->options.name, strerror(-r));
	if (r == 0) {
		note_read(f, text_span(source));
		r = replace(f, text_span(source), d, report);
	}
	server_note_file(f->server, r == 0);
	(void)pthread_mutex_unlock(&f->lock);
	return r;
}

int live_file_reload(struct live_file *f, struct text *report)
{
	struct diagnostics d = { 0 };
	struct text source;
	int r;

	text_init(&source);
	r = live_file_read(f, &source, &d, report);
	diagnostics_write(&d, f->options.name, text_span(&source), false, report);
	diagnostics_deinit(&d);
	text_deinit(&source);
	return r;
}
