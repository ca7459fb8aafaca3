/*
 * malformed: answers that are no valid HTTP, on purpose and in exactly one way each (core/malformed.def). Made from a head
 * that was rightly written; the rest of the message stays as it is. The connection cannot live on after any of them.
 */
#ifndef BROWNOUT_FAULT_MALFORMED_H
#define BROWNOUT_FAULT_MALFORMED_H

#include "base/text.h"
#include "core/fault_set.h"

/* early_eof: a Content-Length that was there is more by this; where there was none it is one that no content reaches. */
#define FAULT_EARLY_EOF_BYTES UINT64_C(1024)
#define FAULT_EARLY_EOF_UNKNOWN (UINT64_C(1) << 40)

/*
 * `head` is a whole response head, from the status line to the empty line, and nothing else. What follows it:
 *	status_line, header: the message goes on as if nothing were.
 *	content_length, early_eof, http09: the content as it is, without chunks, then the end of the connection.
 *	chunk: fault_malformed_chunk() instead of, or after some of, the chunks, then the end of the connection.
 * head->cut is set where memory is out.
 */
void fault_malform_head(struct text *head, enum fault_malformed kind);

/* A whole line where a chunk's size is due, and is none. */
struct span fault_malformed_chunk(void);

#endif
