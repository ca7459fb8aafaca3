/*
 * process_status: see process_status.h.
 */
#include "observe/process_status.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/span.h"

/* Entries of /proc/self/fd but ".", ".." and the one that the look itself takes. */
static uint64_t count_open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n > 3 ? n - 3 : 0;
}

static uint64_t read_max_fds(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

/* The second number of /proc/self/statm, in pages. */
static uint64_t read_resident_bytes(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE);
	char block[128];
	struct span s;
	uint64_t pages;
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, block, sizeof(block));
	(void)close(fd);
	if (n <= 0 || page <= 0)
		return 0;
	s = span_of(block, (size_t)n);
	s = span_skip(s, span_find(s, ' ') + 1);
	return span_to_u64(span_first(s, span_find(s, ' ')), &pages) == 0 ? pages * (uint64_t)page : 0;
}

static int64_t read_cpu_ns(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0 ? t.tv_sec * NS_PER_S + t.tv_nsec : 0;
}

void process_status_read(struct process_status *p)
{
	*p = (struct process_status){
		.open_fds = count_open_fds(),
		.max_fds = read_max_fds(),
		.resident_bytes = read_resident_bytes(),
		.cpu_ns = read_cpu_ns(),
	};
}
