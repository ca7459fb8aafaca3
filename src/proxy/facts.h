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

void facts_of_request(struct client *c, const struct http_request *r, struct facts *f);

/* What the classifier wants to know of a request, and of a response head. */
void facts_status_request(const struct http_request *r, struct status_request *s);
uint32_t facts_status_fields(const struct http_fields *fields);

#endif
