/*
 * output: one write where it is possible, the rest where it is not. Must hold no text back.
 */
#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/console.h"
#include "base/log.h"
#include "cli/exit_code.h"

int output_to(int fd, struct span s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			s = span_skip(s, (size_t)n);
	}
	return 0;
}

int output_write(struct text *t)
{
	int rc = t->cut ? -ENOMEM : output_to(STDOUT_FILENO, text_span(t));

	text_deinit(t);
	if (rc == 0)
		return EXIT_CODE_OK;
	log_error("standard output: %s", strerror(-rc));
	return EXIT_CODE_FAILED;
}

bool output_wants_color(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDERR_FILENO) && (!no_color || !*no_color);
}

void output_note(struct text *t)
{
	console_hold();
	console_write(text_span(t));
	console_release();
	if (t->cut)
		log_error("memory is out: not all of this is shown");
	text_deinit(t);
}
