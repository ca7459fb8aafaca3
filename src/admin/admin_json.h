/*
 * admin_json: bodies in JSON.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_JSON_H
#define BROWNOUT_ADMIN_ADMIN_JSON_H

#include <jansson.h>

#include "admin/admin_answer.h"

/* An object, the caller's to json_decref; NULL after a was made the refusal. */
json_t *admin_json_object(struct span body, struct admin_answer *a) MUST_USE;
/*
 * The same as YAML, on one line: JSON is nearly that already. What differs stands in texts: pairs of escapes for one character,
 * and characters that YAML takes for ends of lines or does not let stand. body is a JSON object.
 */
void admin_json_to_yaml(struct span body, struct text *out);

#endif
