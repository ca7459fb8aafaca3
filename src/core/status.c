/*
 * status: the look-ups of the classifier. The table is compiled from status.def; nothing here is computed at start.
 * Owns only constants; must never hold a meaning of its own: what is known of a code stands in status.def.
 */
#include "core/status.h"

#include <string.h>

/* ---- the table ---- */

enum cache { CACHE_EXPLICIT, CACHE_HEURISTIC, CACHE_NEVER };

/* Row 0 is nobody's, so that 0 in row_of_code says: no row of its own. */
enum row {
	ROW_NONE,
#define STATUS(code_, ...) ROW_##code_,
#define STATUS_VENDOR_CODE(code_, ...) ROW_##code_,
#include "core/status.def"
	ROW_COUNT
};
_Static_assert(ROW_COUNT <= UINT8_MAX, "row numbers fit a byte");

static const struct status_info rows[ROW_COUNT] = {
#define STATUS(code_, reason_, aliases_, marks_, content_, must_, should_, cache_, fault_, retry_, spec_, meaning_, use_, note_) \
	[ROW_##code_] = {                                                                                                       \
		.code = (code_),                                                                                                \
		.class_ = (code_) / 100,                                                                                        \
		.origin = STATUS_REGISTERED,                                                                                    \
		.marks = (marks_),                                                                                              \
		.content = STATUS_CONTENT_##content_,                                                                           \
		.fault_of = STATUS_FAULT_##fault_,                                                                              \
		.retry = STATUS_RETRY_##retry_,                                                                                 \
		.cacheable = CACHE_##cache_ == CACHE_HEURISTIC,                                                                 \
		.never_stored = CACHE_##cache_ == CACHE_NEVER,                                                                  \
		.must_fields = (must_),                                                                                         \
		.should_fields = (should_),                                                                                     \
		.reason = (reason_),                                                                                            \
		.aliases = (aliases_),                                                                                          \
		.vendor = "",                                                                                                   \
		.meaning = (meaning_),                                                                                          \
		.use = (use_),                                                                                                  \
		.retry_note = (note_),                                                                                          \
		.spec = (spec_),                                                                                                \
	},
#define STATUS_VENDOR_CODE(code_, reason_, aliases_, fault_, retry_, vendor_, meaning_, use_, note_)                            \
	[ROW_##code_] = {                                                                                                       \
		.code = (code_),                                                                                                \
		.class_ = (code_) / 100,                                                                                        \
		.origin = STATUS_VENDOR,                                                                                        \
		.content = STATUS_CONTENT_ALLOWED,                                                                              \
		.fault_of = STATUS_FAULT_##fault_,                                                                              \
		.retry = STATUS_RETRY_##retry_,                                                                                 \
		.reason = (reason_),                                                                                            \
		.aliases = (aliases_),                                                                                          \
		.vendor = (vendor_),                                                                                            \
		.meaning = (meaning_),                                                                                          \
		.use = (use_),                                                                                                  \
		.retry_note = (note_),                                                                                          \
		.spec = "RFC 9110 15",                                                                                          \
	},
#include "core/status.def"
};

static const uint8_t row_of_code[STATUS_MAX - STATUS_MIN + 1] = {
#define STATUS(code_, ...) [(code_) - STATUS_MIN] = ROW_##code_,
#define STATUS_VENDOR_CODE(code_, ...) [(code_) - STATUS_MIN] = ROW_##code_,
#include "core/status.def"
};

static const struct status_info unknown_of_class[] = {
#define STATUS_CLASS(class_number_, name_, fault_, retry_, content_, meaning_, use_, note_)                                     \
	[class_number_] = {                                                                                                     \
		.class_ = (class_number_),                                                                                      \
		.origin = STATUS_UNKNOWN,                                                                                       \
		.content = STATUS_CONTENT_##content_,                                                                           \
		.fault_of = STATUS_FAULT_##fault_,                                                                              \
		.retry = STATUS_RETRY_##retry_,                                                                                 \
		.reason = (name_),                                                                                              \
		.aliases = "",                                                                                                  \
		.vendor = "",                                                                                                   \
		.meaning = (meaning_),                                                                                          \
		.use = (use_),                                                                                                  \
		.retry_note = (note_),                                                                                          \
		.spec = "RFC 9110 15",                                                                                          \
	},
#include "core/status.def"
};

const struct status_info *status_classify(unsigned code)
{
	unsigned row;

	if (!status_is_valid(code))
		return NULL;
	row = row_of_code[code - STATUS_MIN];
	return row != ROW_NONE ? &rows[row] : &unknown_of_class[code / 100];
}

/* ---- names ---- */

/* "Locked (WebDAV)" -> "Locked". A phrase that is all parentheses, "(Unused)", stays. */
static struct span name_without_note(struct span name)
{
	size_t open;

	name = span_trim(name);
	if (name.n == 0 || name.p[name.n - 1] != ')')
		return name;
	open = span_find(name, '(');
	return open > 0 && open < name.n ? span_trim(span_first(name, open)) : name;
}

bool status_has_name(const struct status_info *info, struct span name)
{
	const char *alias = info->aliases;

	if (info->origin == STATUS_UNKNOWN)
		return false;
	name = name_without_note(name);
	if (span_eq_nocase(span_of_string(info->reason), name))
		return true;
	while (*alias) {
		size_t n = strcspn(alias, ";");

		if (span_eq_nocase(span_of(alias, n), name))
			return true;
		alias += n + strspn(alias + n, "; ");
	}
	return false;
}

unsigned status_code_by_name(struct span name)
{
	/* The rows of registered codes come first. */
	for (unsigned row = ROW_NONE + 1; row < ROW_COUNT; row++)
		if (status_has_name(&rows[row], name))
			return rows[row].code;
	return 0;
}

const char *status_class_name(unsigned code_class)
{
	return code_class >= 1 && code_class < ARRAY_LEN(unknown_of_class) ? unknown_of_class[code_class].reason : "";
}

const char *status_class_meaning(unsigned code_class)
{
	return code_class >= 1 && code_class < ARRAY_LEN(unknown_of_class) ? unknown_of_class[code_class].meaning : "";
}

const char *status_mark_name(enum status_mark index)
{
	static const char *const names[] = {
#define X(id, name) name,
		STATUS_MARK_LIST(X)
#undef X
	};

	return (size_t)index < ARRAY_LEN(names) ? names[index] : "";
}

const char *status_content_name(enum status_content content)
{
	static const char *const names[] = {
		[STATUS_CONTENT_ALLOWED] = "allowed",
		[STATUS_CONTENT_FORBIDDEN] = "forbidden",
		[STATUS_CONTENT_EMPTY] = "empty",
	};

	return (size_t)content < ARRAY_LEN(names) ? names[content] : "";
}

const char *status_fault_name(enum status_fault_of fault)
{
	static const char *const names[] = {
		[STATUS_FAULT_NONE] = "none",
		[STATUS_FAULT_CLIENT] = "client",
		[STATUS_FAULT_ORIGIN] = "origin",
		[STATUS_FAULT_GATEWAY] = "gateway",
	};

	return (size_t)fault < ARRAY_LEN(names) ? names[fault] : "";
}

const char *status_retry_name(enum status_retry retry)
{
	static const char *const names[] = {
		[STATUS_RETRY_NO] = "no",
		[STATUS_RETRY_YES] = "yes",
		[STATUS_RETRY_AFTER_HINT] = "after_hint",
		[STATUS_RETRY_CHANGED] = "changed",
		[STATUS_RETRY_OTHER_CONNECTION] = "reconnect",
	};

	return (size_t)retry < ARRAY_LEN(names) ? names[retry] : "";
}

const char *status_field_name(enum status_field index)
{
	static const char *const names[] = {
#define X(id, name) name,
		STATUS_FIELD_LIST(X)
#undef X
	};

	return (size_t)index < ARRAY_LEN(names) ? names[index] : "";
}

/* ---- fields and methods ---- */

const char *status_field_fill(unsigned code, enum status_field index)
{
	static const struct {
		uint16_t code;
		uint8_t field;
		const char *value;
	} fills[] = {
#define STATUS_FILL(code_, field_, value_) { (code_), STATUS_FIELD_INDEX_##field_, (value_) },
#include "core/status.def"
	};

	for (size_t i = 0; i < ARRAY_LEN(fills); i++)
		if (fills[i].code == code && fills[i].field == index)
			return fills[i].value;
	return NULL;
}

static const struct status_method_meaning method_meanings[] = {
#define STATUS_METHOD_MEANING(code_, method_, meaning_) { (code_), (method_), (meaning_) },
#include "core/status.def"
};

const struct status_method_meaning *status_method_meaning(unsigned code, size_t index)
{
	for (size_t i = 0; i < ARRAY_LEN(method_meanings); i++)
		if (method_meanings[i].code == code && index-- == 0)
			return &method_meanings[i];
	return NULL;
}
