/*
 * trace_plain: the fast way to read the line of an exchange as the writer writes it: no escapes, no unknown members, nothing out
 * of its range. What is not plain goes the thorough way (trace_read.c), which also says what is wrong; both give the same.
 */
#ifndef BROWNOUT_OBSERVE_TRACE_PLAIN_H
#define BROWNOUT_OBSERVE_TRACE_PLAIN_H

#include "observe/trace.h"

/* False: not plain, and *out may hold anything. Its spans point into the line. */
bool trace_read_plain(struct span line, struct trace_line *out);

#endif
