/*
 * serve_admin: see there.
 */
#include "cli/serve_admin.h"

#include <errno.h>

#include "base/log.h"
#include "cli/exit_code.h"
#include "cli/output.h"

#define ERROR_BYTES 512

int serve_admin_open(struct admin **admin, const struct plan *plan)
{
	char error[ERROR_BYTES] = "";
	int rc = admin_open(admin, plan, error, sizeof(error));

	if (rc == 0)
		return EXIT_CODE_OK;
	log_error("%s", error[0] ? error : strerror(-rc));
	return rc == -EACCES ? EXIT_CODE_USAGE : EXIT_CODE_FAILED;
}

static void announce(const struct admin *admin)
{
	struct text out;

	text_init(&out);
	text_put_string(&out, admin_is_unix(admin) ? "admin on " : "dashboard on http://");
	admin_address(admin, &out);
	text_put_string(&out, admin_is_unix(admin) ? "\n" : "/\n");
	output_note(&out);
}

int serve_admin_start(struct admin *admin, struct server *server, const struct serve_options *options)
{
	int rc = 0;

	if (admin)
		rc = options->live ? admin_start(admin, server, options->live) : -ENOMEM;
	if (rc < 0) {
		log_error("the admin listener cannot start: %s", strerror(-rc));
		return EXIT_CODE_FAILED;
	}
	if (admin && !options->quiet)
		announce(admin);
	return EXIT_CODE_OK;
}
