/*
 * embedded: files that are part of the program, made into C by `embed` when it is built.
 */
#ifndef BROWNOUT_ADMIN_EMBEDDED_H
#define BROWNOUT_ADMIN_EMBEDDED_H

#include "base/span.h"

extern const struct span embedded_openapi; /* config/openapi.json */

#endif
