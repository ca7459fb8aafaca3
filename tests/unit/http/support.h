/*
 * support: what the tests of src/http share: parsing texts into static storage, and feeding them in pieces.
 * Each test runs in its own process, so the storage is never shared between tests.
 */
#ifndef BROWNOUT_TESTS_UNIT_HTTP_SUPPORT_H
#define BROWNOUT_TESTS_UNIT_HTTP_SUPPORT_H

#include <stdlib.h>

#include <criterion/criterion.h>

#include "http/message.h"
#include "http/write.h"

#define FIELDS_MAX 32

/* Spans in messages: "%.*s". */
#define SHOW(s) (int)(s).n, (s).p ? (s).p : ""

static inline bool span_is(struct span s, const char *text)
{
	return span_eq(s, span_of_string(text));
}

/* Copies that nobody frees are found here by a leak checker; processes of tests are short. */
static void *kept_copies[1 << 16];
static size_t n_kept_copies;

/* A copy on the heap of exactly n bytes, so that a sanitizer sees any look behind them. */
static inline char *exact_copy(const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);

	cr_assert_not_null(copy);
	memcpy(copy, p, n);
	kept_copies[n_kept_copies++ % ARRAY_LEN(kept_copies)] = copy;
	return copy;
}

/* The parsed message's spans point into the copy, which is never freed: processes of tests are short. */
static inline int request_of_bytes(struct http_request *r, struct http_field *v, const char *p, size_t n, enum http_error *error)
{
	*r = (struct http_request){ .fields = { .v = v, .cap = FIELDS_MAX } };
	return http_request_parse(r, exact_copy(p, n), n, error);
}

static inline int response_of_bytes(
	struct http_response *r, struct http_field *v, const char *p, size_t n, enum http_method to, enum http_error *error)
{
	*r = (struct http_response){ .fields = { .v = v, .cap = FIELDS_MAX } };
	return http_response_parse(r, exact_copy(p, n), n, to, error);
}

/* Parses what must be right. */
static inline void request_must_parse(struct http_request *r, struct http_field *v, const char *head)
{
	enum http_error error;
	int rc = request_of_bytes(r, v, head, strlen(head), &error);

	cr_assert_eq(rc, HTTP_PARSE_OK, "%s: %s", head, http_error_name(error));
}

static inline void response_must_parse(struct http_response *r, struct http_field *v, const char *head, enum http_method to)
{
	enum http_error error;
	int rc = response_of_bytes(r, v, head, strlen(head), to, &error);

	cr_assert_eq(rc, HTTP_PARSE_OK, "%s: %s", head, http_error_name(error));
}

#endif
