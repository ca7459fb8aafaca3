/*
 * args: see args.h.
 */
#include "args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 22

static void print_help(const char *what, const struct arg *table, size_t table_size)
{
	printf("usage: %s [OPTIONS]\n%s\n", program_invocation_short_name, what);
	for (size_t i = 0; i < table_size; i++) {
		const int shown = printf("  --%s%s", table[i].name, table[i].flag ? "" : table[i].names ? " NAME" : " N");

		printf("%*s%s\n", MAX(HELP_COLUMN - shown, 1), "", table[i].help);
	}
}

NORETURN static void refuse(const char *option, const char *why)
{
	fprintf(stderr, "%s: %s: %s; see --help\n", program_invocation_short_name, option, why);
	exit(2);
}

static int64_t parse_number(const struct arg *a, const char *text)
{
	char *end = NULL;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		refuse(text, "not a number");
	if (value < a->min || value > a->max)
		refuse(text, "out of range");
	return value * (a->scale ? a->scale : 1);
}

static int64_t parse_name(const struct arg *a, const char *text)
{
	for (int64_t i = 0; i <= a->max; i++) {
		if (strcmp(text, a->names[i]) == 0)
			return i;
	}
	refuse(text, "unknown name");
}

static const struct arg *find(const char *word, const struct arg *table, size_t table_size)
{
	if (strncmp(word, "--", 2) != 0)
		refuse(word, "unexpected argument");
	for (size_t i = 0; i < table_size; i++) {
		if (strcmp(word + 2, table[i].name) == 0)
			return &table[i];
	}
	refuse(word, "unknown option");
}

void args_read(int argc, char **argv, const char *what, const struct arg *table, size_t table_size)
{
	for (int i = 1; i < argc; i++) {
		const struct arg *a;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			print_help(what, table, table_size);
			exit(0);
		}
		a = find(argv[i], table, table_size);
		if (a->flag) {
			*a->flag = true;
			continue;
		}
		if (++i == argc)
			refuse(argv[i - 1], "needs a value");
		if (a->count && *a->count == a->room)
			refuse(argv[i - 1], "given too often");
		a->number[a->count ? (*a->count)++ : 0] = a->names ? parse_name(a, argv[i]) : parse_number(a, argv[i]);
	}
}
