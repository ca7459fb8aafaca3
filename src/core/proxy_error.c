/*
 * proxy_error: look-ups in proxy_error.def.
 */
#include "core/proxy_error.h"

static const struct {
	const char *name;
	const char *text;
	unsigned status;
} table[PROXY_ERROR_COUNT] = {
	[PROXY_ERROR_NONE] = { "", "", 0 },
#define PROXY_ERROR(id, name, status, text) [PROXY_ERROR_##id] = { name, text, status },
#include "core/proxy_error.def"
#undef PROXY_ERROR
};

const char *proxy_error_name(enum proxy_error e)
{
	return table[e].name;
}

const char *proxy_error_text(enum proxy_error e)
{
	return table[e].text;
}

unsigned proxy_error_status(enum proxy_error e)
{
	return table[e].status;
}
