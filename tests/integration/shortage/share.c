/*
 * share: the test's half of shortage.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shortage.h"

struct shortage *shortage_share(char path[64])
{
	struct shortage *block;
	int fd;

	snprintf(path, 64, "/tmp/brownout-shortage-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, sizeof(*block)) < 0)
		abort();
	block = mmap(NULL, sizeof(*block), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (block == MAP_FAILED)
		abort();
	close(fd);
	setenv(SHORTAGE_VARIABLE, path, 1);
	setenv("BROWNOUT_BIN", getenv("BROWNOUT_SHORTAGE_BIN"), 1);
	return block;
}
