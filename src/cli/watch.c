/*
 * watch: one stat for each look. The kernel's news of a file are of what it was once found as: of a folder on the way to it that
 * is replaced they say nothing, and nothing ever after.
 */
#include "cli/watch.h"

#include <errno.h>

int watch_init(struct watch *w, const char *path)
{
	struct stat now;

	watch_deinit(w);
	if (stat(path, &now) < 0)
		return -errno;
	*w = (struct watch){ .path = path, .told = now };
	return 0;
}

void watch_deinit(struct watch *w)
{
	w->path = NULL;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool watch_changed(struct watch *w, int64_t now_ns)
{
	struct stat now;

	if (!w->path)
		return false;
	/* It may be gone for a moment. */
	if (stat(w->path, &now) < 0 || is_same(&now, &w->told)) {
		w->changed_ns = 0;
		return false;
	}
	if (!w->changed_ns || !is_same(&now, &w->seen)) {
		w->seen = now;
		w->changed_ns = now_ns;
		return false;
	}
	if (now_ns - w->changed_ns < WATCH_QUIET_NS)
		return false;
	w->told = now;
	w->changed_ns = 0;
	return true;
}
