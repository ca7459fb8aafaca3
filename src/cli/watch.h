/*
 * watch: notices that a file has another content than before, however it came about: written in place, replaced by a rename (as
 * editors do), or a symbolic link or a folder on its way swapped (as mounted ConfigMaps do). Asked now and then.
 */
#ifndef BROWNOUT_CLI_WATCH_H
#define BROWNOUT_CLI_WATCH_H

#include <sys/stat.h>

#include "base/base.h"

struct watch {
	const char *path; /* the caller's; NULL: nothing is watched */
	struct stat told; /* as it was when last told of */
	struct stat seen; /* as it was when last looked at */
	int64_t changed_ns; /* CLOCK_MONOTONIC when it was first seen so; 0: as told */
};

/* A writer is done when the file has been as it is for so long. */
#define WATCH_QUIET_NS (100 * NS_PER_MS)

/* -errno where there is no such file; then nothing is watched, and watch_changed is always false. */
int watch_init(struct watch *w, const char *path) MUST_USE;
void watch_deinit(struct watch *w);
/* True once for each change, when it is over. */
bool watch_changed(struct watch *w, int64_t now_ns);

#endif
