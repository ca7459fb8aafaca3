/*
 * processors: limits of control groups, of both versions, as they stand in files: here in a folder of the test's own.
 */
#include "base/processors.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(processors, .timeout = 60);

static char folder[] = "/tmp/brownout-groups-XXXXXX";

/* Under `folder`, with each folder on the way. */
static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	if (strstr(folder, "XXXXXX"))
		cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	f = fopen(path, "we");
	cr_assert_not_null(f, "%s", path);
	(void)fputs(text, f);
	(void)fclose(f);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status;
	(void)kind;
	(void)at;
	return remove(path);
}

static void forget(void)
{
	cr_assert_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	(void)snprintf(folder, sizeof(folder), "/tmp/brownout-groups-XXXXXX");
}

static void expect(const char *membership, unsigned wanted)
{
	unsigned got = processors_of_groups(span_of_string(membership), folder);

	cr_expect_eq(got, wanted, "\"%s\": %u, wanted %u", membership, got, wanted);
}

Test(processors, version_2)
{
	put("cpu.max", "max 100000\n");
	put("pod/cpu.max", "250000 100000\n");
	put("pod/box/cpu.max", "max 100000\n");
	put("pod/tight/cpu.max", "50000 100000\n");
	put("pod/even/cpu.max", "200000 100000\n");
	put("pod/odd/cpu.max", "200001 100000\n");
	expect("0::/\n", UINT_MAX);
	expect("0::/pod\n", 3);
	expect("0::/pod/box\n", 3); /* that of the group around it */
	expect("0::/pod/tight\n", 1);
	expect("0::/pod/even\n", 2);
	expect("0::/pod/odd\n", 3);
	expect("0::/pod/even", 2);
	expect("0::/not-seen/here\n", UINT_MAX);
	forget();
}

/* In a container the path is one of the machine's, or /, and what is mounted is the container's own. */
Test(processors, a_container_finds_its_own_limit_at_the_top)
{
	put("cpu.max", "150000 100000\n");
	put("cpu/cpu.cfs_quota_us", "50000\n");
	put("cpu/cpu.cfs_period_us", "100000\n");
	expect("0::/\n", 2);
	expect("0::/../../kubepods/pod1/box\n", 2);
	expect("3:cpuset:/docker/0123\n1:cpu:/docker/0123\n", 1);
	forget();
}

Test(processors, version_1)
{
	put("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
	put("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
	put("cpu,cpuacct/docker/cpu.cfs_quota_us", "400000\n");
	put("cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
	put("cpu,cpuacct/docker/a/cpu.cfs_quota_us", "-1\n");
	put("cpu,cpuacct/docker/a/cpu.cfs_period_us", "100000\n");
	put("cpuset/docker/a/cpu.cfs_quota_us", "100000\n");
	put("cpuset/docker/a/cpu.cfs_period_us", "100000\n");
	expect("4:cpu,cpuacct:/\n", UINT_MAX);
	expect("4:cpu,cpuacct:/docker/a\n", 4);
	expect("7:cpuset:/docker/a\n4:cpu,cpuacct:/docker/a\n1:name=systemd:/docker/a\n0::/docker/a\n", 4);
	expect("7:cpuset:/docker/a\n", UINT_MAX);
	forget();
}

Test(processors, what_is_no_limit_sets_none)
{
	put("a/cpu.max", "");
	put("b/cpu.max", "100000\n");
	put("c/cpu.max", "100000 0\n");
	put("d/cpu.max", "0 100000\n");
	put("e/cpu.max", "-1 100000\n");
	put("f/cpu.max", "99999999999999999999999 100000\n");
	put("g/cpu.max", "18446744073709551615 1\n");
	for (char c = 'a'; c <= 'g'; c++)
		expect((char[]){ '0', ':', ':', '/', c, '\n', '\0' }, UINT_MAX);
	expect("", UINT_MAX);
	expect("\n\n:\n::\n:::\n0:\n0::\n1:cpu\n", UINT_MAX);
	forget();
}

/* The kernel says which: the thread's own set. */
Test(processors, no_more_than_it_may_run_on)
{
	cpu_set_t all, one;
	unsigned cpu = 0;

	cr_assert_eq(sched_getaffinity(0, sizeof(all), &all), 0);
	cr_expect_geq(processors_usable(), 1);
	cr_expect_leq(processors_usable(), (unsigned)CPU_COUNT(&all));
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	cr_expect_eq(processors_usable(), 1);
}
