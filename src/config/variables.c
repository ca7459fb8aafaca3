/*
 * variables: see variables.h. What is in doubt is hidden.
 */
#include "config/variables.h"

#include <errno.h>

#define AMOUNT_BYTES_MAX 24
#define UNIT_BYTES_MAX 5
#define ADDRESS_BYTES_MAX 256

static const struct span hidden_keys[] = { { "headers", 7 }, { "cookies", 7 }, { "query", 5 }, { "body", 4 }, { "json", 4 },
	{ "token", 5 } };
static const struct span address_keys[] = { { "listen", 6 }, { "listeners", 9 }, { "upstream", 8 }, { "upstreams", 9 } };
/* In names of what is nobody's business. */
static const char *const secret_words[] = { "token", "secret", "pass", "pwd", "key", "auth", "cred", "cookie", "session",
	"private", "sign" };

static bool is_among(struct span key, const struct span *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (span_eq(key, v[i]))
			return true;
	}
	return false;
}

enum variable_place variable_place_below(enum variable_place place, struct span key)
{
	if (place == VARIABLE_HIDDEN || is_among(key, hidden_keys, ARRAY_LEN(hidden_keys)))
		return VARIABLE_HIDDEN;
	return is_among(key, address_keys, ARRAY_LEN(address_keys)) ? VARIABLE_ADDRESS : place;
}

static bool sounds_secret(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(secret_words); i++) {
		size_t n = strlen(secret_words[i]);

		for (size_t at = 0; at + n <= name.n; at++) {
			if (span_eq_nocase(span_of(name.p + at, n), span_of(secret_words[i], n)))
				return true;
		}
	}
	return false;
}

/* Of a number, not of a range. */
static bool is_point(struct span s, size_t at)
{
	return at > 0 && s.p[at] == '.' && !span_starts_with(span_skip(s, at), SPAN(".."));
}

static bool is_unit(char c)
{
	return c == '%' || c == '/' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* Digits, and a short unit: 10, 0.5%, 250ms, 64KiB/s. Moved behind it. */
static bool take_amount(struct span *s)
{
	size_t n = 0, digits;

	while (n < s->n && (ascii_is_digit(s->p[n]) || is_point(*s, n)))
		n++;
	digits = n;
	while (n < s->n && is_unit(s->p[n]))
		n++;
	*s = span_skip(*s, n);
	return digits > 0 && n - digits <= UNIT_BYTES_MAX;
}

/* One amount, or a range of two. */
static bool is_amount(struct span s)
{
	if (s.n > AMOUNT_BYTES_MAX || !take_amount(&s))
		return false;
	if (!span_starts_with(s, SPAN("..")))
		return s.n == 0;
	s = span_skip(s, 2);
	return take_amount(&s) && s.n == 0;
}

/* An @ ends a name and a password; a query may hold anything. */
static bool is_address(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '@' || s.p[i] == '?')
			return false;
	}
	return s.n <= ADDRESS_BYTES_MAX;
}

static bool is_shown(struct span name, struct span value, enum variable_place place)
{
	if (value.n == 0)
		return true;
	if (place == VARIABLE_HIDDEN || sounds_secret(name))
		return false;
	return is_amount(value) || (place == VARIABLE_ADDRESS && is_address(value));
}

static struct plan_variable *find(struct plan_variables *all, struct span name)
{
	for (unsigned i = 0; i < all->n; i++) {
		if (span_eq(all->v[i].name, name))
			return &all->v[i];
	}
	return NULL;
}

int variables_note(struct plan_variables *all, struct arena *arena, struct span name, const char *value,
	enum variable_place place)
{
	struct span text = value ? span_of_string(value) : SPAN_EMPTY;
	bool shown = is_shown(name, text, place);
	struct plan_variable *v;

	if (!all->v)
		all->v = arena_alloc(arena, VARIABLES_MAX * sizeof(*all->v));
	if (!all->v)
		return -ENOMEM;
	v = find(all, name);
	if (v) {
		v->hidden = v->hidden || !shown;
		if (v->hidden)
			v->value = SPAN_EMPTY;
		return 0;
	}
	if (all->n == VARIABLES_MAX) {
		all->more = true;
		return 0;
	}
	v = &all->v[all->n];
	*v = (struct plan_variable){ .name = arena_copy(arena, name), .is_set = value != NULL, .hidden = !shown };
	if (shown && text.n)
		v->value = arena_copy(arena, text);
	if (!v->name.p || (shown && text.n && !v->value.p))
		return -ENOMEM;
	all->n++;
	return 0;
}
