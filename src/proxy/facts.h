/*
 * facts: what rules may look at, taken from a parsed request. The spans live as long as the request's bytes and the worker's
 * path buffer, that is: within the running step.
 */
#ifndef BROWNOUT_PROXY_FACTS_H
#define BROWNOUT_PROXY_FACTS_H

#include "core/facts.h"
#include "core/status.h"
#include "http/message.h"

struct client;
struct exchange;

void facts_of_request(struct client *c, const struct http_request *r, struct facts *f);

/* The fields of a head that the classifier knows of, as its bits. */
uint32_t facts_status_fields(const struct http_fields *fields);

/* Keeps of a request what its answer will be checked against, so that its head need not be parsed again for that. */
void facts_note_request(struct exchange *ex, const struct http_request *r);

/*
 * The classifier's word on a head that answers the client's request, received or about to leave: counts what it finds, by
 * kind, and returns it (STATUS_VIOLATION_BIT).
 */
uint32_t facts_check_status(struct client *c, const struct status_response *response);

#endif
