/*
 * variables: which variables of the environment a rule file uses, so that a run can be done again with them. A value is kept only
 * where it can be shown to anybody: an amount, or part of an address that is said at the start anyway, and neither by its name
 * nor by its place a secret. Of any other it is known that it was set, and no more.
 */
#ifndef BROWNOUT_CONFIG_VARIABLES_H
#define BROWNOUT_CONFIG_VARIABLES_H

#include "config/arena.h"
#include "config/plan.h"

#define VARIABLES_MAX 64 /* kept; of more it is only known that there are */

/* What a value stands for in the file. */
enum variable_place {
	VARIABLE_PLAIN, /* amounts are shown */
	VARIABLE_ADDRESS, /* of a listener or an upstream */
	VARIABLE_HIDDEN, /* where secrets are written */
};

/* For what stands below this key, in what is there for all of it. */
enum variable_place variable_place_below(enum variable_place place, struct span key);

/* value: NULL: it is not set. Used at several places it is shown only where each may show it. -ENOMEM. */
int variables_note(struct plan_variables *all, struct arena *arena, struct span name, const char *value,
	enum variable_place place) MUST_USE;

#endif
