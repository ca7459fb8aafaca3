/*
 * run_command: see child for signals and the terminal. The command writes to the same standard error; nothing of brownout's
 * own is shown while it runs but what goes wrong.
 */
#include "cli/run_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command_env.h"
#include "cli/exit_code.h"

/* The addresses stand in `texts`, which the caller frees with the array. */
static struct command_address *take_addresses(struct server *server, const struct plan *plan, struct text *texts)
{
	struct command_address *v = calloc(plan->n_listeners + 1U, sizeof(*v));
	size_t at = 0;

	for (unsigned i = 0; v && i < plan->n_listeners; i++) {
		server_listener_address(server, i, texts);
		v[i].name = plan->listeners[i].name;
		v[i].is_tls = plan_listener_is_tls(&plan->listeners[i]);
		v[i].address.n = texts->n - at;
		at = texts->n;
	}
	/* Now that the block does not move any more. */
	at = 0;
	for (unsigned i = 0; v && i < plan->n_listeners; i++) {
		v[i].address.p = texts->p + at;
		at += v[i].address.n;
	}
	return v;
}

/* NULL where memory is out. */
static char **make_environment(struct server *server, const struct admin *admin)
{
	struct plan *plan = server_plan_ref(server);
	struct text texts, admin_at;
	struct command_address *v;
	char **env = NULL;

	text_init(&texts);
	text_init(&admin_at);
	v = take_addresses(server, plan, &texts);
	if (admin)
		admin_address(admin, &admin_at);
	if (v && !texts.cut && !admin_at.cut)
		env = command_env_new(environ, v, plan->n_listeners, text_span(&admin_at), plan->seed);
	free(v);
	text_deinit(&texts);
	text_deinit(&admin_at);
	plan_unref(plan);
	return env;
}

/* As a shell says it: there is none of this name, or it is nothing that runs. */
static int start(struct child *child, char *const *argv, struct server *server, const struct admin *admin)
{
	char **env = make_environment(server, admin);
	int rc = env ? child_start(child, argv, env) : -ENOMEM;

	free(env);
	if (rc == 0)
		return 0;
	log_error("%.200s cannot be run: %s", argv[0], strerror(rc < 0 ? -rc : rc));
	if (rc < 0)
		return EXIT_CODE_FAILED;
	return rc == ENOENT ? EXIT_CODE_NOT_FOUND : EXIT_CODE_NOT_RUNNABLE;
}

static void reopen(void *care)
{
	server_reopen_logs(((struct serve_care *)care)->server);
}

static int64_t look(void *care, int64_t now_ns)
{
	return serve_care_look(care, now_ns);
}

int run_command(struct child *child, char *const *argv, int64_t limit_ns, struct server *server,
	const struct serve_options *options, const struct admin *admin, struct child_result *result)
{
	struct serve_care care;
	const struct child_watch watch = { limit_ns, reopen, look, &care };
	int rc = start(child, argv, server, admin);

	if (rc != 0)
		return rc;
	serve_care_init(&care, server, options);
	child_wait(child, &watch, result);
	serve_drain(server, options);
	serve_care_deinit(&care);
	return 0;
}

int run_command_exit_code(const struct child_result *result)
{
	switch (result->end) {
	case CHILD_EXITED:
		return result->number;
	case CHILD_KILLED:
		return 128 + result->number;
	case CHILD_OUT_OF_TIME:
		return EXIT_CODE_OUT_OF_TIME;
	}
	return EXIT_CODE_FAILED;
}
