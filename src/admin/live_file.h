/*
 * live_file: the rule file that is being served: its name, its text in force, and how a new text becomes what is served. All
 * or nothing: a text with one error changes nothing. The file on disk is read, never written. Any thread.
 */
#ifndef BROWNOUT_ADMIN_LIVE_FILE_H
#define BROWNOUT_ADMIN_LIVE_FILE_H

#include "config/load.h"
#include "proxy/server.h"

struct live_file;

struct live_file_options {
	const char *name; /* for messages, and to be read again; lives as long as the live_file */
	bool is_file; /* false: there is nothing to be read again (flags, standard input) */
	struct load_options load; /* as at the start; what it points to lives as long as the live_file */
	/* What the command line says wins over each text; called with a plan that nobody else knows. NULL: nothing. */
	void (*adjust)(struct plan *plan, const void *arg);
	const void *arg;
};

/* source: the text that the server has started with. -ENOMEM. */
int live_file_new(struct live_file **f, struct server *server, const struct live_file_options *options, struct span source)
	MUST_USE;
/* Before the server is freed. */
void live_file_free(struct live_file *f);

/*
 * Reads the file again and serves it. 0: it is served. 1: refused; negative: it could not be read, or the server could not take
 * it: nothing has changed. report says what went wrong, or warnings and notes, in lines for people.
 */
int live_file_reload(struct live_file *f, struct text *report) MUST_USE;
/* The same, with what the loader has to say in d, with places, not in report; source (initialised) gets the file's bytes. */
int live_file_read(struct live_file *f, struct text *source, struct diagnostics *d, struct text *report) MUST_USE;
/*
 * The same for a text from elsewhere. d (empty, the caller's to deinit): what the loader has to say, with places; report: what
 * the server has to say.
 */
int live_file_replace(struct live_file *f, struct span source, struct diagnostics *d, struct text *report) MUST_USE;
/*
 * Makes another text (initialised) of the one in force, whose plan this is; what is wrong with it goes to d. False: nothing is to
 * be changed, for a reason that arg knows. Called with the lock: it must not call live_file.
 */
typedef bool (*live_file_edit_fn)(void *arg, const struct plan *plan, struct span source, struct text *edited,
	struct diagnostics *d);
/* The same for what `edit` makes; nothing else is read or changed meanwhile. -ECANCELED where that said no. */
int live_file_edit(struct live_file *f, live_file_edit_fn edit, void *arg, struct diagnostics *d, struct text *report) MUST_USE;
/* Appends the text in force. */
void live_file_source(struct live_file *f, struct text *out);
/* The same, with its plan; the caller unrefs. */
struct plan *live_file_plan_ref(struct live_file *f, struct text *out);
const char *live_file_name(const struct live_file *f);
bool live_file_is_file(const struct live_file *f);
/* The file says what it said when it was last read; also where it cannot be read. */
bool live_file_is_read(struct live_file *f);

#endif
