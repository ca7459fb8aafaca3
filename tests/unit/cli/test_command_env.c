/*
 * command_env: which variables the command gets, and what becomes of those that were there.
 */
#include "cli/command_env.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct command_address addresses[] = {
	{ { "public", sizeof("public") - 1 }, { "127.0.0.1:4711", sizeof("127.0.0.1:4711") - 1 }, false },
	{ { "api-v1.internal", sizeof("api-v1.internal") - 1 }, { "0.0.0.0:80", sizeof("0.0.0.0:80") - 1 }, false },
	{ { "v6", sizeof("v6") - 1 }, { "[::]:81", sizeof("[::]:81") - 1 }, true },
	{ { "API_v1-internal", sizeof("API_v1-internal") - 1 }, { "127.0.0.1:82", sizeof("127.0.0.1:82") - 1 }, false },
	{ { "sock", sizeof("sock") - 1 }, { "unix:/run/b.sock", sizeof("unix:/run/b.sock") - 1 }, false },
};

/* How often the variable is there; its value goes to *value. */
static unsigned find(char *const *env, const char *name, const char **value)
{
	unsigned n = 0;

	for (; *env; env++) {
		if (strncmp(*env, name, strlen(name)) == 0 && (*env)[strlen(name)] == '=') {
			*value = *env + strlen(name) + 1;
			n++;
		}
	}
	return n;
}

static void expect_value(char *const *env, const char *name, const char *wanted)
{
	const char *value = "";

	cr_expect_eq(find(env, name, &value), 1, "%s", name);
	cr_expect_str_eq(value, wanted, "%s=%s", name, value);
}

Test(command_env, every_listener_by_its_name)
{
	char *const none[] = { NULL };
	char **env = command_env_new(none, addresses, ARRAY_LEN(addresses), SPAN("127.0.0.1:9901"), 42);

	cr_assert_not_null(env);
	expect_value(env, "BROWNOUT_URL", "http://127.0.0.1:4711");
	expect_value(env, "BROWNOUT_PUBLIC_URL", "http://127.0.0.1:4711");
	expect_value(env, "BROWNOUT_API_V1_INTERNAL_URL", "http://127.0.0.1:80");
	expect_value(env, "BROWNOUT_V6_URL", "https://[::1]:81");
	expect_value(env, "BROWNOUT_SOCK_URL", "unix:/run/b.sock");
	expect_value(env, "BROWNOUT_ADMIN", "http://127.0.0.1:9901");
	expect_value(env, "BROWNOUT_SEED", "42");
	free(env);
}

Test(command_env, what_was_there_stays_but_for_what_is_said_anew)
{
	char path[] = "PATH=/bin", url[] = "BROWNOUT_URL=http://outer", token[] = "BROWNOUT_TOKEN=x", odd[] = "no-equals-sign";
	char longer[] = "BROWNOUT_URL_2=y", admin[] = "BROWNOUT_ADMIN=http://outer:9901";
	char *const before[] = { path, url, token, odd, longer, admin, NULL };
	char **env = command_env_new(before, addresses, 1, SPAN_EMPTY, 0);

	cr_assert_not_null(env);
	expect_value(env, "PATH", "/bin");
	expect_value(env, "BROWNOUT_URL", "http://127.0.0.1:4711");
	expect_value(env, "BROWNOUT_TOKEN", "x");
	expect_value(env, "BROWNOUT_URL_2", "y");
	cr_expect_str_eq(env[0], "PATH=/bin");
	cr_expect_str_eq(env[2], "no-equals-sign");
	free(env);
}
