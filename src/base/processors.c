/*
 * processors: a limit may be set at the group itself or at any of those around it, so all are read, and the lowest counts.
 */
#include "base/processors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define GROUPS "/sys/fs/cgroup"
#define MEMBERSHIP "/proc/self/cgroup"
#define MEMBERSHIP_BYTES 8192
#define LIMIT_BYTES 64

/* What the file holds, as far as there is room; empty where it cannot be read. */
static struct span read_file(const char *path, char *to, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;
	size_t at = 0;

	if (fd < 0)
		return SPAN_EMPTY;
	do {
		got = read(fd, to + at, n - at);
		if (got > 0)
			at += (size_t)got;
	} while (at < n && (got > 0 || (got < 0 && errno == EINTR)));
	(void)close(fd);
	return span_of(to, at);
}

/* Takes what is before the separator, and the separator, off *rest. */
static struct span cut_word(struct span *rest, char separator)
{
	size_t n = span_find(*rest, separator);
	struct span word = span_of(rest->p, n);

	*rest = n < rest->n ? span_of(rest->p + n + 1, rest->n - n - 1) : SPAN_EMPTY;
	return word;
}

/* Of two numbers in text; UINT_MAX where these set no limit ("max", -1). */
static unsigned quotient(struct span quota_text, struct span period_text)
{
	uint64_t quota, period;

	if (span_to_u64(quota_text, &quota) != 0 || span_to_u64(period_text, &period) != 0 || quota == 0 || period == 0)
		return UINT_MAX;
	quota = quota / period + (quota % period != 0);
	return (unsigned)MIN(quota, (uint64_t)UINT_MAX);
}

static struct span read_line(const char *folder, struct span group, const char *name, char *to, size_t n)
{
	char path[PATH_MAX];
	struct span text;
	int length = snprintf(path, sizeof(path), "%s%.*s/%s", folder, SPAN_ARG(group), name);

	if (length < 0 || (size_t)length >= sizeof(path))
		return SPAN_EMPTY;
	text = read_file(path, to, n);
	return cut_word(&text, '\n');
}

/* Version 2: "QUOTA PERIOD"; version 1 has a file for each. */
static unsigned limit_at(const char *folder, struct span group, bool unified)
{
	char quota_text[LIMIT_BYTES], period_text[LIMIT_BYTES];
	struct span quota, period;

	if (unified) {
		period = read_line(folder, group, "cpu.max", quota_text, sizeof(quota_text));
		quota = cut_word(&period, ' ');
	} else {
		quota = read_line(folder, group, "cpu.cfs_quota_us", quota_text, sizeof(quota_text));
		period = read_line(folder, group, "cpu.cfs_period_us", period_text, sizeof(period_text));
	}
	return quotient(quota, period);
}

/* From the group up to the top. */
static unsigned limit_above(const char *folder, struct span group, bool unified)
{
	unsigned least = UINT_MAX;

	for (;;) {
		unsigned limit;

		while (group.n && group.p[group.n - 1] == '/')
			group.n--;
		limit = limit_at(folder, group, unified);
		least = MIN(least, limit);
		if (group.n == 0)
			return least;
		while (group.n && group.p[group.n - 1] != '/')
			group.n--;
	}
}

static bool lists_cpu(struct span controllers)
{
	while (controllers.n) {
		if (span_eq(cut_word(&controllers, ','), SPAN("cpu")))
			return true;
	}
	return false;
}

/* A line: NUMBER:CONTROLLERS:PATH. Version 2 is number 0, without controllers. */
static unsigned limit_of_line(struct span line, const char *folder)
{
	struct span number = cut_word(&line, ':');
	struct span controllers = cut_word(&line, ':');
	char mounted[PATH_MAX];
	int n;

	if (span_eq(number, SPAN("0")) && controllers.n == 0)
		return limit_above(folder, line, true);
	if (!lists_cpu(controllers))
		return UINT_MAX;
	n = snprintf(mounted, sizeof(mounted), "%s/%.*s", folder, SPAN_ARG(controllers));
	return n > 0 && (size_t)n < sizeof(mounted) ? limit_above(mounted, line, false) : UINT_MAX;
}

unsigned processors_of_groups(struct span membership, const char *folder)
{
	unsigned least = UINT_MAX;

	while (membership.n) {
		unsigned limit = limit_of_line(cut_word(&membership, '\n'), folder);

		least = MIN(least, limit);
	}
	return least;
}

unsigned processors_usable(void)
{
	char membership[MEMBERSHIP_BYTES];
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = online > 0 ? (unsigned)MIN(online, (long)INT_MAX) : 1;
	unsigned limit;
	cpu_set_t mine;

	/* Fails where the machine has more than the set has room for: then they are many in any case. */
	if (sched_getaffinity(0, sizeof(mine), &mine) == 0)
		n = (unsigned)CPU_COUNT(&mine);
	limit = processors_of_groups(read_file(MEMBERSHIP, membership, sizeof(membership)), GROUPS);
	n = MIN(n, limit);
	return MAX(n, 1u);
}
