/*
 * cmd_status: prints rows of the status table: as a table, one code at length, or as JSON. Everything is put into one
 * text and written at the end. Must hold no knowledge of codes: what it says comes from core/status.
 */
#include "cli/cmd_status.h"

#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/output.h"
#include "core/status.h"

#define LINE_COLUMNS 80
#define LABEL_COLUMNS 16 /* of a code at length */

enum { STATUS_JSON };

static const struct option_row rows[] = {
	[STATUS_JSON] = { "json", 0, NULL, "an array of objects, one per code" },
};

const struct option_table cmd_status_options = { rows, ARRAY_LEN(rows) };

/* What one argument asks for: a code, or (code 0) the known codes of a class, or (class 0) all of them. */
struct selection {
	unsigned code;
	unsigned code_class;
};

/* ---- arguments ---- */

/* 0, or 1 after saying on standard error what is wrong with the argument. */
static int parse_selection(const char *arg, struct selection *selection)
{
	struct span s = span_of_string(arg);
	uint64_t number;
	bool is_number, in_range;
	unsigned named;

	*selection = (struct selection){ 0 };
	if (s.n == 3 && ascii_is_digit(s.p[0]) && ascii_lower(s.p[1]) == 'x' && ascii_lower(s.p[2]) == 'x') {
		selection->code_class = (unsigned)(s.p[0] - '0');
		if (*status_class_name(selection->code_class))
			return 0;
		log_error("status: there is no class %.40s, only 1xx to 5xx", arg);
		return 1;
	}
	is_number = span_to_u64(s, &number) == 0;
	in_range = is_number && number >= STATUS_MIN && number <= STATUS_MAX;
	if (in_range && s.n == 3) {
		selection->code = (unsigned)number;
		return 0;
	}
	named = status_code_by_name(s);
	if (is_number && !in_range)
		log_error("status: %.40s is outside 100 to 599", arg);
	else if (named)
		log_error("status: \"%.40s\" is the name of %u: give the number", arg, named);
	else
		log_error("status: \"%.40s\" is no status code: give a number from 100 to 599, or a class such as 5xx", arg);
	return 1;
}

static bool selection_has(const struct selection *selection, unsigned code)
{
	if (selection->code)
		return selection->code == code;
	return status_classify(code)->origin != STATUS_UNKNOWN &&
	       (selection->code_class == 0 || selection->code_class == code / 100);
}

/* ---- text ---- */

/*
 * Puts words, which start at a column of the line, and goes on at the same column of the next line where they would
 * pass the right edge. Ends the line. A word that is longer than a line stays whole.
 */
static void put_wrapped(struct text *out, unsigned column, const char *words)
{
	unsigned at = column;

	while (*words) {
		size_t n = strcspn(words, " ");

		if (at > column && at + 1 + n > LINE_COLUMNS) {
			text_printf(out, "\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			text_put_char(out, ' ');
			at++;
		}
		text_put(out, words, n);
		at += (unsigned)n;
		words += n + strspn(words + n, " ");
	}
	text_put_char(out, '\n');
}

static void put_labelled(struct text *out, const char *label, const char *words)
{
	text_printf(out, "  %-*s", LABEL_COLUMNS - 2, label);
	put_wrapped(out, LABEL_COLUMNS, words);
}

/* "deprecated, WebDAV"; nothing where there is no mark. */
static void put_marks(struct text *out, unsigned marks)
{
	const char *separator = "";

	for (unsigned i = 0; i < STATUS_MARK_COUNT; i++) {
		if (!(marks >> i & 1))
			continue;
		text_put_string(out, separator);
		text_put_string(out, status_mark_name((enum status_mark)i));
		separator = ", ";
	}
}

/* ---- tables ---- */

static void put_table_head(struct text *out)
{
	text_printf(out, "%-41s%-8s%-11s%s\n", "CODE", "FAULT", "RETRY", "NOTES");
}

static void put_table_row(struct text *out, const struct status_info *info)
{
	bool blameless = info->fault_of == STATUS_FAULT_NONE;

	text_printf(out, "%u %-37s%-8s%-11s", info->code, info->reason,
		blameless ? "-" : status_fault_name((enum status_fault_of)info->fault_of),
		status_retry_name((enum status_retry)info->retry));
	if (info->origin == STATUS_VENDOR)
		text_put_string(out, info->vendor);
	else
		put_marks(out, info->marks);
	while (out->n && out->p[out->n - 1] == ' ')
		out->n--;
	text_put_char(out, '\n');
}

static void put_table_class(struct text *out, unsigned code_class)
{
	text_printf(out, "\n%uxx %s\n    ", code_class, status_class_name(code_class));
	put_wrapped(out, 4, status_class_meaning(code_class));
}

static void put_table(struct text *out, const struct selection *selection)
{
	put_table_head(out);
	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++) {
		if (code % 100 == 0 && (selection->code_class == 0 || selection->code_class == code / 100))
			put_table_class(out, code / 100);
		if (selection_has(selection, code))
			put_table_row(out, status_classify(code));
	}
	text_put_string(out, "\nFAULT: who has failed, by the code alone. RETRY: may the same request be sent\n"
			     "again by itself? no; yes, with back-off; after_hint: not before Retry-After;\n"
			     "changed: only a changed request; reconnect: on a new connection.\n"
			     "NOTES: marks of the registry, or who sends a code that is not registered.\n");
}

/* ---- one code at length ---- */

static void put_fields(struct text *out, const char *label, unsigned code, uint32_t fields, bool say_fill)
{
	for (unsigned i = 0; i < STATUS_FIELD_COUNT; i++) {
		enum status_field field = (enum status_field)i;
		const char *fill = status_field_fill(code, field);
		struct text words;

		if (!(fields >> i & 1))
			continue;
		text_init(&words);
		text_put_string(&words, status_field_name(field));
		if (say_fill && fill)
			text_printf(&words, " (put where a rule gives none: %s)", fill);
		else if (say_fill)
			text_put_string(&words, " (no value would be true of every answer, so a rule has to give it)");
		text_put_char(&words, '\0');
		if (!words.cut)
			put_labelled(out, label, words.p);
		out->cut |= words.cut;
		text_deinit(&words);
		label = "";
	}
}

static void put_origin(struct text *out, unsigned code, const struct status_info *info)
{
	struct text words;

	text_init(&words);
	switch ((enum status_origin)info->origin) {
	case STATUS_REGISTERED:
		text_printf(&words, "yes, %s", info->spec);
		break;
	case STATUS_VENDOR:
		text_printf(&words, "no; known from %s. Who does not know it treats it as %u (%s)", info->vendor,
			code / 100 * 100, info->spec);
		break;
	case STATUS_UNKNOWN:
		text_printf(&words, "no, and nobody is known to send it. It is treated as %u (%s)", code / 100 * 100, info->spec);
		break;
	}
	text_put_char(&words, '\0');
	if (!words.cut)
		put_labelled(out, "registered", words.p);
	out->cut |= words.cut;
	text_deinit(&words);
}

static const char *content_words(unsigned code, const struct status_info *info)
{
	switch ((enum status_content)info->content) {
	case STATUS_CONTENT_FORBIDDEN:
		return status_forbids_length(code) ? "forbidden, as are Content-Length and Transfer-Encoding" : "forbidden";
	case STATUS_CONTENT_EMPTY:
		return "empty: a length of 0 may be said";
	case STATUS_CONTENT_ALLOWED:
		break;
	}
	return info->class_ >= STATUS_CLIENT_ERROR ? "allowed; it should explain the error" : "allowed";
}

static const char *cache_words(const struct status_info *info)
{
	if (info->never_stored)
		return "never";
	if (info->cacheable)
		return "by default; an injected answer says no-store, unless its rule sets Cache-Control";
	return info->class_ == STATUS_INTERIM ? "no" : "only where Cache-Control or Expires allow it";
}

static void put_code(struct text *out, unsigned code)
{
	const struct status_info *info = status_classify(code);
	const struct status_method_meaning *m;

	text_printf(out, "%u %s\n", code, info->origin == STATUS_UNKNOWN ? "(unknown)" : info->reason);
	if (*info->aliases)
		put_labelled(out, "also called", info->aliases);
	text_printf(out, "  %-*s%uxx %s, %s\n", LABEL_COLUMNS - 2, "class", code / 100, status_class_name(code / 100),
		status_is_interim(code) ? "interim" : "final");
	put_origin(out, code, info);
	if (info->marks) {
		text_printf(out, "  %-*s", LABEL_COLUMNS - 2, "marks");
		put_marks(out, info->marks);
		text_put_char(out, '\n');
	}
	put_labelled(out, "meaning", info->meaning);
	for (size_t i = 0; (m = status_method_meaning(code, i)) != NULL; i++) {
		text_printf(out, "  %-*s%-8s", LABEL_COLUMNS - 2, i == 0 ? "by method" : "", m->method);
		put_wrapped(out, LABEL_COLUMNS + 8, m->meaning);
	}
	put_labelled(out, "use", info->use);
	put_labelled(out, "content", content_words(code, info));
	put_fields(out, "must carry", code, info->must_fields, true);
	put_fields(out, "should carry", code, info->should_fields, false);
	put_labelled(out, "cached", cache_words(info));
	put_labelled(out, "at fault",
		info->fault_of == STATUS_FAULT_NONE ? "nobody" : status_fault_name((enum status_fault_of)info->fault_of));
	put_labelled(out, "retry", info->retry_note);
}

/* ---- JSON ---- */

static void json_aliases(struct json *j, const char *aliases)
{
	json_key(j, "aliases");
	json_begin_array(j);
	while (*aliases) {
		size_t n = strcspn(aliases, ";");

		json_span(j, span_of(aliases, n));
		aliases += n + strspn(aliases + n, "; ");
	}
	json_end_array(j);
}

static void json_marks(struct json *j, unsigned marks)
{
	json_key(j, "marks");
	json_begin_array(j);
	for (unsigned i = 0; i < STATUS_MARK_COUNT; i++)
		if (marks >> i & 1)
			json_c_string(j, status_mark_name((enum status_mark)i));
	json_end_array(j);
}

static void json_fields(struct json *j, const char *key, uint32_t fields)
{
	json_key(j, key);
	json_begin_array(j);
	for (unsigned i = 0; i < STATUS_FIELD_COUNT; i++)
		if (fields >> i & 1)
			json_c_string(j, status_field_name((enum status_field)i));
	json_end_array(j);
}

/* Every object has the same keys, so that a reader needs no tests for presence. */
static void json_code(struct json *j, unsigned code)
{
	const struct status_info *info = status_classify(code);
	const struct status_method_meaning *m;

	json_begin_object(j);
	json_member_u64(j, "code", code);
	json_member_string(j, "reason", info->origin == STATUS_UNKNOWN ? "" : info->reason);
	json_aliases(j, info->aliases);
	json_member_u64(j, "class", code / 100);
	json_member_string(j, "class_name", status_class_name(code / 100));
	json_member_bool(j, "final", !status_is_interim(code));
	json_member_bool(j, "registered", info->origin == STATUS_REGISTERED);
	json_member_string(j, "vendor", info->vendor);
	json_marks(j, info->marks);
	json_member_string(j, "meaning", info->meaning);
	json_key(j, "by_method");
	json_begin_object(j);
	for (size_t i = 0; (m = status_method_meaning(code, i)) != NULL; i++)
		json_member_string(j, m->method, m->meaning);
	json_end_object(j);
	json_member_string(j, "use", info->use);
	json_member_string(j, "content", status_content_name((enum status_content)info->content));
	json_fields(j, "must_fields", info->must_fields);
	json_fields(j, "should_fields", info->should_fields);
	json_member_bool(j, "cacheable", info->cacheable);
	json_member_bool(j, "never_stored", info->never_stored);
	json_member_string(j, "fault_of", status_fault_name((enum status_fault_of)info->fault_of));
	json_member_string(j, "retry", status_retry_name((enum status_retry)info->retry));
	json_member_string(j, "retry_note", info->retry_note);
	json_member_string(j, "spec", info->spec);
	json_end_object(j);
}

/* ---- the command ---- */

static void put_selection_json(struct json *j, const struct selection *selection)
{
	for (unsigned code = STATUS_MIN; code <= STATUS_MAX; code++)
		if (selection_has(selection, code))
			json_code(j, code);
}

static void put_selection_text(struct text *out, const struct selection *selection)
{
	if (out->n)
		text_put_char(out, '\n');
	if (selection->code)
		put_code(out, selection->code);
	else
		put_table(out, selection);
}

static void put_selection_as(struct text *out, struct json *j, const struct selection *selection)
{
	if (j)
		put_selection_json(j, selection);
	else
		put_selection_text(out, selection);
}

static void write_help(struct text *out)
{
	text_put_literal(out, "Usage: brownout status [--json] [CODE | CLASS]...\n"
			      "\n"
			      "What HTTP status codes mean, what they demand of a response, and what a client\n"
			      "may do about them.\n"
			      "\n"
			      "  CODE                      100 to 599, registered or not: everything about it\n"
			      "  CLASS                     1xx to 5xx: a table of the known codes of that class\n"
			      "  nothing                   a table of all known codes\n");
	options_write_help(rows, ARRAY_LEN(rows), out);
}

/* Checks all of them before anything is printed. Returns what ended them: OPTIONS_END, _HELP or _ERROR (said). */
static int read_options(int argc, char **argv, bool *as_json)
{
	struct selection selection;
	struct options o;
	int row;

	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while ((row = options_next(&o)) != OPTIONS_END && row != OPTIONS_HELP) {
		if (row == OPTIONS_REST)
			(void)options_refuse_argument(&o);
		if (row == OPTIONS_REST || row == OPTIONS_ERROR ||
			(row == OPTIONS_ARGUMENT && parse_selection(o.value, &selection) != 0))
			return OPTIONS_ERROR;
		*as_json |= row == STATUS_JSON;
	}
	return row;
}

/* The arguments have been checked. */
static void put_all(struct text *out, struct json *j, int argc, char **argv)
{
	struct selection selection = { 0 };
	struct options o;
	bool any = false;
	int row;

	options_init(&o, rows, ARRAY_LEN(rows), argc, argv);
	while ((row = options_next(&o)) != OPTIONS_END) {
		if (row != OPTIONS_ARGUMENT || parse_selection(o.value, &selection) != 0)
			continue;
		put_selection_as(out, j, &selection);
		any = true;
	}
	if (!any)
		put_selection_as(out, j, &selection);
}

int cmd_status(int argc, char **argv)
{
	struct text out;
	struct json j;
	bool as_json = false;
	int ended = read_options(argc, argv, &as_json);

	if (ended == OPTIONS_ERROR)
		return EXIT_CODE_USAGE;
	text_init(&out);
	if (ended == OPTIONS_HELP) {
		write_help(&out);
	} else if (as_json) {
		json_init(&j, &out, 2);
		json_begin_array(&j);
		put_all(&out, &j, argc, argv);
		json_end_array(&j);
		text_put_char(&out, '\n');
	} else {
		put_all(&out, NULL, argc, argv);
	}
	return output_write(&out);
}
