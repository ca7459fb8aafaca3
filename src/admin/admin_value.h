/*
 * admin_value: JSON that was received, read by name. What is not there, or is of another kind, reads as nothing: whoever wants to
 * know asks. Values live as long as the document.
 */
#ifndef BROWNOUT_ADMIN_ADMIN_VALUE_H
#define BROWNOUT_ADMIN_ADMIN_VALUE_H

#include "base/span.h"

struct admin_value; /* a value of the document; NULL: nothing, which every function takes */

/* The whole of a JSON text, admin_value_free when done; NULL where it is none, or memory is out. */
struct admin_value *admin_value_parse(struct span json) MUST_USE;
void admin_value_free(struct admin_value *document);

const struct admin_value *admin_value_get(const struct admin_value *object, const char *key);
size_t admin_value_count(const struct admin_value *array);
const struct admin_value *admin_value_at(const struct admin_value *array, size_t i);

bool admin_value_is_null(const struct admin_value *v);
bool admin_value_is_true(const struct admin_value *v);
struct span admin_value_text(const struct admin_value *v); /* empty where it is no text */
double admin_value_number(const struct admin_value *v); /* 0 where it is no number */
uint64_t admin_value_u64(const struct admin_value *v);
/* True where the text is JSON of any kind. */
bool admin_value_is_json(struct span text);

#endif
