/*
 * edit: changes that rules ask of a head that passes through. Received lines are marked as not to be passed on, new lines
 * are written as text for http_write_request_head and http_write_response_head (their .extra); no byte of what was received
 * changes. The fields that say how the message is framed and what the connection does are never touched, whatever a rule names:
 * Connection, Content-Length, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade; of a request Expect and
 * Max-Forwards as well.
 *
 * Edits apply one after the other, so that a later one removes or replaces what an earlier one has set. Within one edit:
 * remove, then set, then add. Names compare without case.
 */
#ifndef BROWNOUT_FAULT_EDIT_H
#define BROWNOUT_FAULT_EDIT_H

#include "base/text.h"
#include "core/fault_set.h"
#include "http/message.h"

/*
 * Changes r (fields' drop marks, path) and appends whole lines to `extra`. Host is not a line but goes to *host, for
 * http_forward_request.host (untouched where no edit names it). r and *host then lean on the bytes of the edits. The asterisk
 * form has no path and keeps it.
 */
void fault_edit_request(const struct fault_edit *const *edits, unsigned n, struct http_request *r, struct text *extra,
	struct span *host);

/* What of an edited response is not in its head. */
struct fault_edited {
	bool replaces; /* the content is `body` now: what the upstream still sends is not passed on */
	struct span body; /* the edit's own bytes; empty in an answer to HEAD and where the status allows no content */
	bool names_date; /* Date is as the rules want it, there or not: http_forward_response.date must be empty */
};

/*
 * Changes r (status, reason, fields' drop marks, body, body_length) and appends whole lines to `extra`. `to` is the request's
 * method. r->body and r->body_length then say how the answer ends for the client; how the upstream's ends must be kept by the
 * caller, who also asks http_forward_response.drop_length only for what r->body demands.
 *
 * A new status brings its canonical reason and the fields that it must have where these can be filled; where it allows no
 * content (204, 205, 304) the content goes. Replaced content takes what described the old one with it: Content-Encoding,
 * Content-Range, Accept-Ranges, ETag, Last-Modified, Content-MD5, Digest, Content-Digest, Repr-Digest, Trailer; set by the edits
 * themselves they stay. A 206 whose content was replaced becomes 200, unless the edit says another status.
 */
struct fault_edited fault_edit_response(const struct fault_edit *const *edits, unsigned n, enum http_method to,
	struct http_response *r, struct text *extra);

#endif
