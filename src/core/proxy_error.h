/*
 * proxy_error: the error types of Proxy-Status (RFC 9209 section 2.3) that brownout uses, with the status that goes with each.
 */
#ifndef BROWNOUT_CORE_PROXY_ERROR_H
#define BROWNOUT_CORE_PROXY_ERROR_H

enum proxy_error {
	PROXY_ERROR_NONE,
#define PROXY_ERROR(id, name, status, text) PROXY_ERROR_##id,
#include "core/proxy_error.def"
#undef PROXY_ERROR
	PROXY_ERROR_COUNT
};

/* "connection_refused"; "" for none. */
const char *proxy_error_name(enum proxy_error e);
const char *proxy_error_text(enum proxy_error e);
/* The recommended status; 0 where the type has none of its own. */
unsigned proxy_error_status(enum proxy_error e);

#endif
