/*
 * black_hole: an address that nobody answers from: a listening socket whose queue is full, so that the kernel drops further SYNs
 * and connect waits.
 */
#ifndef HARNESS_BLACK_HOLE_H
#define HARNESS_BLACK_HOLE_H

#include <stdint.h>

struct black_hole {
	uint16_t port;
	int fd; /* listening */
	int fillers[4]; /* connections that fill its queue */
};

/* At an IPv4 address of this machine; port 0: a free one. */
void black_hole_open(struct black_hole *h, const char *address, uint16_t port);
void black_hole_close(struct black_hole *h);

#endif
