/*
 * process_status: numbers that are true of this very process.
 */
#include "observe/process_status.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <criterion/criterion.h>

/* As the kernel tells when asked for each. */
static uint64_t open_now(void)
{
	uint64_t n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

Test(process_status, counts_descriptors)
{
	struct process_status before, after;
	int fds[3];

	process_status_read(&before);
	cr_expect_eq(before.open_fds, open_now());
	for (unsigned i = 0; i < 3; i++) {
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		cr_assert_geq(fds[i], 0);
	}
	process_status_read(&after);
	cr_expect_eq(after.open_fds, before.open_fds + 3);
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
	process_status_read(&after);
	cr_expect_eq(after.open_fds, before.open_fds);
}

Test(process_status, knows_the_limit)
{
	struct process_status p;
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 99;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	process_status_read(&p);
	cr_expect_eq(p.max_fds, 99);
}

Test(process_status, memory_and_time_grow)
{
	struct process_status before, after;
	const size_t n = (size_t)32 << 20;
	char *block;

	process_status_read(&before);
	block = malloc(n);
	cr_assert_not_null(block);
	memset(block, 1, n);
	process_status_read(&after);
	cr_expect_geq(after.resident_bytes, before.resident_bytes + n / 2, "the first byte is %d", block[n - 1]);
	cr_expect_gt(before.resident_bytes, 1 << 19);
	cr_expect_gt(after.cpu_ns, before.cpu_ns);
	free(block);
}
