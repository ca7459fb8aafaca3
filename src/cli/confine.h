/*
 * confine: gives up what a serving brownout does not need, once its sockets and logs are open: another user's rights, new
 * privileges, and (`sandbox: true`) all system calls but those of its work. There is no way back; a command that runs beside it
 * (brownout run FILE -- COMMAND) would be confined too, so then nothing of this is done.
 */
#ifndef BROWNOUT_CLI_CONFINE_H
#define BROWNOUT_CLI_CONFINE_H

#include "config/plan.h"

#define CONFINE_ERROR_BYTES 200

/*
 * Before the first thread is made, since each has what its maker has: no program that is run gets more rights than brownout. And
 * before anything is served it is seen whether there is such a user. 0, or a negative errno with one line in error.
 */
int confine_begin(const struct plan *plan, char error[CONFINE_ERROR_BYTES]) MUST_USE;
/* By plan->user, plan->sandbox and whether it has secrets. 0, or a negative errno with one line in error. */
int confine(const struct plan *plan, char error[CONFINE_ERROR_BYTES]) MUST_USE;

#endif
