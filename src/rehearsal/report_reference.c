/*
 * report_reference: every check with its number, and what each profile asks of it, from the tables that the judge works by.
 */
#include "rehearsal/report.h"
#include "rehearsal/report_value.h"

#define NUMBER_COLUMN 5
#define NAME_COLUMN 18
#define KEY_COLUMN 44 /* "retry_after.honoured" */
#define LIMIT_COLUMN 16

static void put_limit(struct text *out, enum expect_key key, const struct expect_limit *limit)
{
	char block[48];
	struct text t;

	text_init_fixed(&t, block, sizeof(block));
	if (limit->severity == EXPECT_OFF) {
		text_put_literal(&t, "-");
	} else if (expect_key_unit(key) == EXPECT_UNIT_FLAG) { /* what it comes to where it is so */
		text_put_string(&t, limit->severity == EXPECT_WARN ? "warn" : "fail");
	} else {
		report_put_limit(&t, key, limit);
		text_put_string(&t, limit->severity == EXPECT_WARN ? " warn" : "");
	}
	text_printf(out, "%-*.*s", LIMIT_COLUMN, SPAN_ARG(text_span(&t)));
}

static void put_end(struct text *out)
{
	while (out->n && out->p[out->n - 1] == ' ')
		out->n--;
	text_put_char(out, '\n');
}

static void put_key(struct text *out, const struct expect *profiles, enum expect_key key)
{
	char name[KEY_COLUMN];
	struct text t;

	text_init_fixed(&t, name, sizeof(name));
	text_printf(&t, "%s.%s", expect_key_group(key), expect_key_name(key));
	text_printf(out, "  %*s%-*.*s", NUMBER_COLUMN, "", KEY_COLUMN - NUMBER_COLUMN, SPAN_ARG(text_span(&t)));
	for (unsigned p = 0; p < EXPECT_PROFILE_NONE; p++)
		put_limit(out, key, &profiles[p].limits[key]);
	put_end(out);
}

void report_write_reference(struct text *out)
{
	struct expect profiles[EXPECT_PROFILE_NONE];

	text_printf(out, "  %-*s", KEY_COLUMN, "");
	for (unsigned p = 0; p < EXPECT_PROFILE_NONE; p++) {
		expect_init(&profiles[p], (enum expect_profile)p);
		text_printf(out, "%-*s", LIMIT_COLUMN, expect_profile_name((enum expect_profile)p));
	}
	put_end(out);
	for (unsigned c = 0; c < CHECK_COUNT; c++) {
		text_printf(out, "  %-*s%-*s %s\n", NUMBER_COLUMN, check_number((enum check_id)c), NAME_COLUMN,
			check_name((enum check_id)c), check_help((enum check_id)c));
		for (unsigned key = 0; key < EXPECT_COUNT; key++) {
			if (expect_key_check((enum expect_key)key) == c)
				put_key(out, profiles, (enum expect_key)key);
		}
	}
}
