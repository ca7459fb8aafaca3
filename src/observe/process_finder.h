/*
 * process_finder: which process is at the other end of a connection on this machine. Linux tells it by way of /proc: slow enough
 * that only the collector may ask, once for each connection. A process that has closed its end or ended is not found any more.
 */
#ifndef BROWNOUT_OBSERVE_PROCESS_FINDER_H
#define BROWNOUT_OBSERVE_PROCESS_FINDER_H

#include "base/text.h"

struct process_finder;

/* NULL where memory is out. */
struct process_finder *process_finder_new(void) MUST_USE;
void process_finder_free(struct process_finder *f);

/*
 * Appends "curl#1234" for the process whose end of a connection has this address (IPv6 form) and port; nothing where it is not
 * on this machine, or not found. What was found or not of a connection (a number of its own) stays so.
 */
void process_finder_name(struct process_finder *f, uint64_t connection, const uint8_t address[16], uint16_t port,
	struct text *out);

/* The inode of the socket with this local address, in the form of /proc/net/tcp or tcp6; 0 where there is none. */
uint64_t process_finder_inode(struct span table, const uint8_t address[16], uint16_t port, bool ipv6);

#endif
