/*
 * shortage: what a test and the program under test share to let the program run out of things: a block of memory in a file.
 * The program is linked with shortage.c, which stands before malloc and some system calls and lets them fail as the block
 * says; without the environment variable SHORTAGE_FILE, or with an empty block, they do what they always do. The wall clock can
 * be set the same way.
 */
#ifndef SHORTAGE_H
#define SHORTAGE_H

#include <stdatomic.h>
#include <stdint.h>

/* The system calls that can be told to fail: CALL(name). */
#define SHORTAGE_CALLS(CALL)                                                                                                    \
	CALL(accept4)                                                                                                           \
	CALL(recv)                                                                                                              \
	CALL(send)                                                                                                              \
	CALL(sendmsg)                                                                                                           \
	CALL(connect)                                                                                                           \
	CALL(socket)                                                                                                            \
	CALL(epoll_ctl)                                                                                                         \
	CALL(getsockopt)                                                                                                        \
	CALL(setsockopt)                                                                                                        \
	CALL(pipe2)                                                                                                           \
	CALL(splice)                                                                                                            \
	CALL(open)                                                                                                              \
	CALL(write)                                                                                                             \
	CALL(getaddrinfo)

enum shortage_call {
#define CALL(name) SHORTAGE_##name,
	SHORTAGE_CALLS(CALL)
#undef CALL
	SHORTAGE_CALL_COUNT
};

struct shortage {
	/* malloc, calloc, realloc, aligned_alloc, strdup and mmap: this one from now on fails, and so many behind it. 0: none. */
	_Atomic uint32_t fail_at;
	_Atomic uint32_t fail_more;
	_Atomic uint32_t allocations; /* asked for since the test set it to 0 */
	_Atomic uint32_t allocations_failed;
	/* Each call fails with so many in 10000, by a sequence that only depends on the seed. */
	_Atomic uint32_t per_10000[SHORTAGE_CALL_COUNT];
	_Atomic uint32_t calls_failed[SHORTAGE_CALL_COUNT];
	_Atomic uint64_t seed;
	_Atomic uint64_t drawn;
	_Atomic uint32_t also_at; /* an IPv4 address that each name has besides its own, before them; 0: none */
	_Atomic int64_t wall_ahead_ns; /* how much later CLOCK_REALTIME is than it is */
};

#define SHORTAGE_VARIABLE "SHORTAGE_FILE"

/* For the test: makes the block, of which a program that starts while the file is there has the other half. */
struct shortage *shortage_share(char path[64]);

#endif
