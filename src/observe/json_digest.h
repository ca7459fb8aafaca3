/*
 * json_digest: the hash of a JSON text that does not depend on white space, the order of members, or on members that are named:
 * nonces and times in which the attempts of one request differ.
 */
#ifndef BROWNOUT_OBSERVE_JSON_DIGEST_H
#define BROWNOUT_OBSERVE_JSON_DIGEST_H

#include "base/span.h"

/* paths: "$.a.b", each a member of nested objects. 0 where the text is no JSON, or memory is out. */
uint64_t json_digest(struct span text, const struct span *paths, unsigned n_paths);

#endif
