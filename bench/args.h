/*
 * args: command lines from one table: parser and --help. Ends the process with 2 on bad usage, with 0 after --help.
 */
#ifndef BROWNOUT_BENCH_ARGS_H
#define BROWNOUT_BENCH_ARGS_H

#include "base/base.h"

/*
 * One option: --name alone where flag is set; --name NAME where names is, stored as its index in names[0..max]; else --name N,
 * min <= N <= max, stored as N * scale.
 */
struct arg {
	const char *name;
	const char *help;
	bool *flag;
	int64_t *number;
	const char *const *names;
	int64_t min;
	int64_t max;
	int64_t scale;	 /* 0 is 1 */
	unsigned *count; /* may be given up to room times: number is an array, *count how many are in it */
	unsigned room;
};

void args_read(int argc, char **argv, const char *what, const struct arg *table, size_t table_size);

#endif
