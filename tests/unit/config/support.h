/*
 * support: loads a rule file from a literal; what came of it as one text.
 */
#ifndef BROWNOUT_TESTS_UNIT_CONFIG_SUPPORT_H
#define BROWNOUT_TESTS_UNIT_CONFIG_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/load.h"

/* Variables that tests see: HOST, TEN, EMPTY, LINES, RAW. */
static inline const char *support_env(void *arg, const char *name)
{
	static const char *const values[][2] = {
		{ "HOST", "10.0.0.7" }, { "TEN", "10" }, { "EMPTY", "" }, { "LINES", "a: 1\nb: [" }, { "RAW", "\xff" },
		{ "STATUS", "503" },
	};

	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (strcmp(values[i][0], name) == 0)
			return values[i][1];
	}
	return NULL;
}

struct loaded {
	int rc;
	struct plan *plan;
	struct diagnostics d;
	char text[16384]; /* "LINE:COLUMN: level: message\n" of each diagnostic */
};

static inline void support_load_with(struct loaded *l, struct span source, const char *listen, const char *upstream)
{
	const struct load_options options = { .env = support_env, .listen = listen, .upstream = upstream };
	static const char *const levels[] = { "error", "warning", "note" };
	size_t n = 0;

	*l = (struct loaded){ 0 };
	l->rc = load_plan("test.yaml", source, &options, &l->plan, &l->d);
	for (unsigned i = 0; i < l->d.n; i++) {
		const struct diagnostic *d = &l->d.v[i];

		n += (size_t)snprintf(l->text + n, sizeof(l->text) - n, "%u:%u: %s: %s\n", d->line, d->column, levels[d->level],
			d->message);
		n = MIN(n, sizeof(l->text) - 1);
	}
	cr_assert_eq(l->rc == 0, l->plan != NULL);
	cr_assert_eq(l->rc == 1, l->d.n_errors > 0, "rc %d with %u errors", l->rc, l->d.n_errors);
}

static inline void support_load(struct loaded *l, const char *source)
{
	support_load_with(l, span_of_string(source), NULL, NULL);
}

static inline void support_free(struct loaded *l)
{
	plan_unref(l->plan);
	diagnostics_deinit(&l->d);
}

/* A file whose only rule is this one. */
static inline void support_load_rule(struct loaded *l, const char *rule)
{
	char source[4096];

	(void)snprintf(source, sizeof(source), "upstream: origin\nrules:\n- %s\n", rule);
	support_load(l, source);
}

#define expect_span(actual, text)                                                                                               \
	do {                                                                                                                    \
		struct span actual_ = (actual);                                                                                 \
		cr_expect(span_eq(actual_, span_of_string(text)), "\"%.*s\" is not \"%s\"", SPAN_ARG(actual_), (text));         \
	} while (0)

#endif
