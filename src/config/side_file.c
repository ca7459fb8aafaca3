/*
 * side_file: opened without blocking and only read if plain, so that no pipe or device named by mistake holds up a load.
 */
#include "config/side_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/random.h"

/* The path as the process sees it, from the folder of the rule file; false where it is none. */
static bool find_path(const struct decode *d, struct span name, char path[PATH_MAX])
{
	struct span file = span_of_string(d->plan->file ? d->plan->file : "");
	size_t folder = file.n;
	struct text t;

	while (folder > 0 && file.p[folder - 1] != '/')
		folder--;
	text_init_fixed(&t, path, PATH_MAX - 1);
	if (name.p[0] != '/')
		text_put_span(&t, span_first(file, folder));
	text_put_span(&t, name);
	path[t.n] = '\0';
	return !t.cut && span_find(name, '\0') == name.n;
}

/* 0, -errno; -EFBIG. One byte more than allowed shows that there is more. */
static int read_all(int fd, struct text *content)
{
	const size_t room = SIDE_FILE_BYTES_MAX + 1;
	char *at = text_reserve(content, room);
	ssize_t n = 1;

	if (!at)
		return -ENOMEM;
	while (n != 0 && content->n < room) {
		n = read(fd, content->p + content->n, room - content->n);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			content->n += (size_t)n;
	}
	return content->n < room ? 0 : -EFBIG;
}

static int read_path(const char *path, struct text *content)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;
	int rc;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &info) != 0)
		rc = -errno;
	else if (S_ISDIR(info.st_mode))
		rc = -EISDIR;
	else
		rc = S_ISREG(info.st_mode) ? read_all(fd, content) : -EINVAL;
	(void)close(fd);
	return rc;
}

bool side_file_read(struct decode *d, const struct yaml_node *node, struct text *content)
{
	char path[PATH_MAX];
	int rc;

	text_init(content);
	if (node->text.n == 0 || !find_path(d, node->text, path)) {
		decode_error(d, node, "\"%.*s\" is not the name of a file", DECODE_SHOWN(node->text));
		return false;
	}
	rc = read_path(path, content);
	if (rc == -ENOMEM)
		d->out_of_memory = true;
	else if (rc == -EFBIG)
		decode_error(d, node, "\"%.*s\" has more than 1MiB", DECODE_SHOWN(node->text));
	else if (rc == -EINVAL)
		decode_error(d, node, "\"%.*s\" is not a plain file", DECODE_SHOWN(node->text));
	else if (rc < 0)
		decode_error(d, node, "cannot read \"%.*s\": %s", DECODE_SHOWN(node->text), strerror(-rc));
	else
		d->side_hash = random_hash(d->side_hash, text_span(content));
	return rc == 0;
}
