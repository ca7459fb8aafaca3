/*
 * command_env: the texts are written one behind the other; the table of pointers is made once they have their place.
 */
#include "cli/command_env.h"

#include <stdlib.h>

#define PREFIX SPAN("BROWNOUT_")

static char variable_char(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - ('a' - 'A'));
	return (c >= 'A' && c <= 'Z') || ascii_is_digit(c) ? c : '_';
}

/* Whoever listens everywhere is reached here. */
static void put_url(struct text *out, struct span address, bool is_tls)
{
	const struct span everywhere = SPAN("0.0.0.0:"), everywhere6 = SPAN("[::]:");

	if (span_starts_with(address, SPAN("unix:"))) {
		text_put_span(out, address);
		return;
	}
	text_put_string(out, is_tls ? "https://" : "http://");
	if (span_starts_with(address, everywhere)) {
		text_put_literal(out, "127.0.0.1:");
		address = span_skip(address, everywhere.n);
	} else if (span_starts_with(address, everywhere6)) {
		text_put_literal(out, "[::1]:");
		address = span_skip(address, everywhere6.n);
	}
	text_put_span(out, address);
}

/* "NAME=" of the variable. */
static struct span name_of(struct span variable)
{
	return span_first(variable, span_find(variable, '=') + 1);
}

/* Whether one of the variables in `own`, each ended by a NUL, has its name. */
static bool is_replaced(struct span variable, struct span own)
{
	struct span name = name_of(variable);

	if (!span_starts_with(name, PREFIX))
		return false;
	while (own.n) {
		struct span other = span_of_string(own.p);

		if (span_eq(name_of(other), name))
			return true;
		own = span_skip(own, other.n + 1);
	}
	return false;
}

/* Each variable ends with a NUL. */
static void put_variables(struct text *out, const struct command_address *v, unsigned n, struct span admin, uint64_t seed)
{
	text_put_literal(out, "BROWNOUT_SEED=");
	text_put_u64(out, seed);
	text_put_char(out, '\0');
	if (admin.n) {
		text_put_literal(out, "BROWNOUT_ADMIN=");
		put_url(out, admin, false);
		text_put_char(out, '\0');
	}
	for (unsigned i = 0; i < n; i++) {
		size_t before = out->n;

		if (i == 0) {
			text_put_literal(out, "BROWNOUT_URL=");
			put_url(out, v[i].address, v[i].is_tls);
			text_put_char(out, '\0');
			before = out->n;
		}
		text_put_span(out, PREFIX);
		for (size_t k = 0; k < v[i].name.n; k++)
			text_put_char(out, variable_char(v[i].name.p[k]));
		text_put_literal(out, "_URL=");
		/* a-b and a_b: shells take the last of two, others the first. */
		if (!out->cut && is_replaced(span_skip(text_span(out), before), span_first(text_span(out), before))) {
			out->n = before;
			continue;
		}
		put_url(out, v[i].address, v[i].is_tls);
		text_put_char(out, '\0');
	}
}

/* The pointers, then the texts. */
static char **make_block(char *const *environ, struct span own)
{
	size_t n_pointers = 1, n = 0;
	char **block;
	char *at;

	while (environ[n])
		n++;
	n_pointers += n;
	for (struct span rest = own; rest.n; rest = span_skip(rest, strlen(rest.p) + 1))
		n_pointers++;
	block = malloc(n_pointers * sizeof(*block) + own.n);
	if (!block)
		return NULL;
	at = (char *)(block + n_pointers);
	memcpy(at, own.p, own.n);
	own.p = at;
	n = 0;
	for (; *environ; environ++) {
		if (!is_replaced(span_of_string(*environ), own))
			block[n++] = *environ;
	}
	for (; own.n; own = span_skip(own, strlen(own.p) + 1))
		block[n++] = (char *)(uintptr_t)own.p;
	block[n] = NULL;
	return block;
}

char **command_env_new(char *const *environ, const struct command_address *v, unsigned n, struct span admin, uint64_t seed)
{
	struct text own;
	char **block = NULL;

	text_init(&own);
	put_variables(&own, v, n, admin, seed);
	if (!own.cut)
		block = make_block(environ, text_span(&own));
	text_deinit(&own);
	return block;
}
