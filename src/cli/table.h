/*
 * table: rows of cells in columns as wide as they need to be, for people. What is in a cell can drive no terminal.
 */
#ifndef BROWNOUT_CLI_TABLE_H
#define BROWNOUT_CLI_TABLE_H

#include "base/text.h"

#define TABLE_COLUMNS_MAX 16

struct table {
	unsigned n_columns;
	uint32_t right; /* bit per column: its cells end at its right edge, as numbers do */
	struct text cells; /* one behind the other, each with a NUL; the titles are the first row */
	unsigned n_cells;
};

/* titles: TABLE_COLUMNS_MAX at most, apart by "|"; one that begins with ">" is a column of numbers. */
void table_init(struct table *t, const char *titles);
void table_deinit(struct table *t);
/* The next cell, in its row from left to right. */
void table_put(struct table *t, struct span cell);
void table_put_u64(struct table *t, uint64_t v);
void table_printf(struct table *t, const char *format, ...) PRINTF_LIKE(2, 3);
/* The titles, where there is any row, and the rows. */
void table_write(const struct table *t, struct text *out);

#endif
