/*
 * watch: inotify on the folder that the path names and on the one where the file really lies; what is in them besides is told
 * apart by looking at the file. An inotify watch of the file itself would be lost with its first replacement.
 */
#include "cli/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS (IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE)

static int watch_folder(const struct watch *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	char folder[PATH_MAX];

	if (n >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, n);
	folder[n] = '\0';
	if (!n)
		memcpy(folder, slash ? "/" : ".", 2);
	return inotify_add_watch(w->fd, folder, EVENTS) < 0 ? -errno : 0;
}

/* Again after each change: what the links on the way lead to may be another folder. The same folder twice is one watch. */
static int watch_folders(const struct watch *w)
{
	char real[PATH_MAX];
	int r = watch_folder(w, w->path);

	if (r == 0 && realpath(w->path, real))
		r = watch_folder(w, real);
	return r;
}

int watch_init(struct watch *w, const char *path)
{
	int r;

	*w = (struct watch){ .path = path, .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC) };
	if (w->fd < 0)
		return -errno;
	r = watch_folders(w);
	if (r == 0 && stat(path, &w->told) < 0)
		r = -errno;
	if (r < 0)
		watch_deinit(w);
	return r;
}

void watch_deinit(struct watch *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}

static bool take_events(const struct watch *w)
{
	_Alignas(struct inotify_event) char events[4096];
	bool any = false;

	while (read(w->fd, events, sizeof(events)) > 0)
		any = true;
	return any;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool watch_changed(struct watch *w, int64_t now_ns)
{
	struct stat now;

	if (w->fd < 0)
		return false;
	/* Other files of the folder may change all the time: an event is only a reason to look. */
	if (!take_events(w) && !w->changed_ns)
		return false;
	/* Gone for a moment: its return is an event of its own. */
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
	(void)watch_folders(w); /* what was watched so far still is */
	return true;
}
