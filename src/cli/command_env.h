/*
 * command_env: the variables that the command of `run -- COMMAND` finds the proxy by:
 *
 *   BROWNOUT_URL          the first listener
 *   BROWNOUT_<NAME>_URL   each listener by its name: upper case, _ for what is no letter or digit; of two
 *                         with the same, the first
 *   BROWNOUT_SEED         of the random decisions
 *   BROWNOUT_ADMIN        the admin listener, where there is one
 */
#ifndef BROWNOUT_CLI_COMMAND_ENV_H
#define BROWNOUT_CLI_COMMAND_ENV_H

#include "base/text.h"

/* One listener, as the rule file names it and as it is bound: "127.0.0.1:8080", "unix:/path". */
struct command_address {
	struct span name;
	struct span address;
	bool is_tls;
};

/*
 * `environ` with these variables in place of any of the same name; ends with NULL. One block, the caller's to free; NULL where
 * memory is out. admin is empty where there is none.
 */
char **command_env_new(char *const *environ, const struct command_address *v, unsigned n, struct span admin, uint64_t seed)
	MUST_USE;

#endif
