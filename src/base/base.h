/*
 * base: what every file may use. Attributes, small macros, the error convention.
 *
 * Errors: a function that can fail returns int: 0 is success, a negative value is fatal for the caller's operation and
 * is passed up unchanged (-errno where a system call failed), a positive value is a condition that this function's own
 * header documents and the caller must handle. Such functions are MUST_USE.
 */
#ifndef BROWNOUT_BASE_BASE_H
#define BROWNOUT_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#define NORETURN __attribute__((noreturn))
#define PURE __attribute__((pure))

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* The cache line size of the machines we tune for; keeps one thread's counters off another's line. */
#define CACHE_LINE_BYTES 64

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

#endif
