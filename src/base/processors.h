/*
 * processors: how many this process may use: not those of the machine, but those it is let run on (taskset, a cpuset) and no
 * more than its control group lets it have time of (the CPU limit of a container or of a service). More threads than that are
 * all stopped at once when the group's time is used up, which delays whatever they have in hand. Blocking: at the start only.
 */
#ifndef BROWNOUT_BASE_PROCESSORS_H
#define BROWNOUT_BASE_PROCESSORS_H

#include "base/base.h"
#include "base/span.h"

/* At least 1. */
unsigned processors_usable(void);

/*
 * The processors that the groups have time of, rounded up; UINT_MAX: there is no limit, or none can be found. membership is the
 * text of /proc/self/cgroup, folder where the groups are mounted (usually /sys/fs/cgroup); either version of control groups.
 * Within a container membership may name a folder that is not seen there, but then the top one is the container's own.
 */
unsigned processors_of_groups(struct span membership, const char *folder);

#endif
