/*
 * verdict: the words of its tables, and its end.
 */
#include "rehearsal/verdict.h"

#include <stdlib.h>

static const struct row {
	const char *number, *name, *help;
} rows[CHECK_COUNT] = {
#define CHECK(id, number_, name_, text_) [CHECK_##id] = { .number = (number_), .name = (name_), .help = (text_) },
#include "rehearsal/checks.def"
#undef CHECK
};

const char *check_number(enum check_id id)
{
	return rows[id].number;
}

const char *check_name(enum check_id id)
{
	return rows[id].name;
}

const char *check_help(enum check_id id)
{
	return rows[id].help;
}

const char *check_status_name(enum check_status status)
{
	switch (status) {
	case CHECK_NOT_APPLICABLE: return "not_applicable";
	case CHECK_PASS: return "pass";
	case CHECK_INCONCLUSIVE: return "inconclusive";
	case CHECK_WARN: return "warn";
	case CHECK_FAIL: return "fail";
	}
	return "?";
}

const char *confidence_name(enum confidence confidence)
{
	switch (confidence) {
	case CONFIDENCE_NONE: return "none";
	case CONFIDENCE_ID: return "id";
	case CONFIDENCE_ORDINAL: return "ordinal";
	case CONFIDENCE_FINGERPRINT: return "fingerprint";
	case CONFIDENCE_STATISTICAL: return "statistical";
	}
	return "?";
}

unsigned verdict_count(const struct verdict *v, enum check_status status)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CHECK_COUNT; i++)
		n += v->checks[i].status == status;
	return n;
}

void verdict_expect_nothing(struct verdict *v)
{
	v->run.unjudged = true;
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		if (v->checks[i].status == CHECK_FAIL)
			v->checks[i].status = CHECK_WARN;
	}
	if (v->status == CHECK_FAIL)
		v->status = CHECK_WARN;
}

void verdict_deinit(struct verdict *v)
{
	for (unsigned i = 0; i < v->n_rules; i++)
		free(v->rules[i].name);
	free(v->rules);
	v->rules = NULL;
	v->n_rules = 0;
}
