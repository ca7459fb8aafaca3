/*
 * trace_reference: what each member of a trace means, from the tables.
 */
#include "observe/trace.h"

#define NAME_COLUMN 16
#define KIND_COLUMN 6
#define ENDS_COLUMN (NAME_COLUMN + KIND_COLUMN + 4)

#define WORD_COUNT "number"
#define WORD_TEXT "text"
#define WORD_DECIMAL "text"
#define WORD_TIME "text"
#define WORD_ID "hex"
#define WORD_HASH "hex"
#define WORD_US "us"
#define WORD_WAIT "us"
#define WORD_NS "ns"
#define WORD_FLAG "true"
#define WORD_LIST "list"

static void put_row(struct text *out, const char *name, const char *word, const char *help)
{
	text_printf(out, "  %-*s %-*s %s\n", NAME_COLUMN, name, KIND_COLUMN, word, help);
}

void trace_write_reference(struct text *out)
{
#define LINE(id, help) text_put_literal(out, "\n" help "\n\n");
#define MEMBER(kind, name, help) put_row(out, #name, WORD_##kind, help);
#define TRACE_MEMBER(line, kind, name, help) MEMBER(kind, name, help)
#include "observe/trace.def"
#undef LINE
#undef MEMBER
#undef TRACE_MEMBER
#define TRACE_END(id, name, help) text_printf(out, "%*s%-14s %s\n", ENDS_COLUMN, "", name, help);
#include "observe/trace_end.def"
#undef TRACE_END
}
