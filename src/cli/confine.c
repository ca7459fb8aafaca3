/*
 * confine: see confine.h. What confine does acts on every thread of the process.
 */
#include "cli/confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef BROWNOUT_SECCOMP
#include <seccomp.h>
#endif

static int fail(char *error, int r, const char *what, struct span name)
{
	(void)snprintf(error, CONFINE_ERROR_BYTES, "%s %.*s: %s", what, SPAN_ARG(name), strerror(-r));
	return r;
}

/* ---- another user ---- */

struct identity {
	char name[64]; /* of the user, for its supplementary groups */
	uid_t user;
	gid_t group;
};

/*
 * Looks a user or a group up. An entry may be of any size (a group has the names of its members in it), so the libraries' own
 * memory is used: no other thread of this process looks any up.
 */
static int find_group(struct span name, struct identity *id)
{
	const struct group *found;
	char text[64];

	if (name.n >= sizeof(text))
		return -ESRCH;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	found = getgrnam(text);
	if (!found)
		return -ESRCH;
	id->group = found->gr_gid;
	return 0;
}

/* "user" or "user:group" */
static int find_user(struct span who, struct identity *id)
{
	size_t colon = span_find(who, ':');
	const struct passwd *found;

	if (colon >= sizeof(id->name))
		return -ESRCH;
	memcpy(id->name, who.p, colon);
	id->name[colon] = '\0';
	found = getpwnam(id->name);
	if (!found)
		return -ESRCH;
	id->user = found->pw_uid;
	id->group = found->pw_gid;
	return colon < who.n ? find_group(span_skip(who, colon + 1), id) : 0;
}

static int become(const struct identity *id)
{
	/* Groups first: afterwards there is no right to. */
	if (initgroups(id->name, id->group) < 0 || setresgid(id->group, id->group, id->group) < 0 ||
		setresuid(id->user, id->user, id->user) < 0)
		return -errno;
	/* What can be taken back was not given up. */
	if (id->user != 0 && setuid(0) == 0)
		return -EPERM;
	return 0;
}

static int find_wanted(const struct plan *plan, struct identity *id, char *error)
{
	int r = find_user(plan->user, id);

	if (r < 0)
		(void)snprintf(error, CONFINE_ERROR_BYTES, "user: %.*s: there is no such user or group", SPAN_ARG(plan->user));
	return r;
}

static int drop_user(const struct plan *plan, char *error)
{
	struct identity id;
	int r;

	if (!plan->user.n)
		return 0;
	r = find_wanted(plan, &id, error);
	if (r < 0)
		return r;
	r = become(&id);
	return r < 0 ? fail(error, r, "user:", plan->user) : 0;
}

/* ---- system calls ---- */

#ifdef BROWNOUT_SECCOMP
/* What serving takes: sockets, files and links of the rules and logs, threads, time, memory. No programs, no other processes. */
static const int allowed[] = {
#define CALL(name) SCMP_SYS(name),
#include "cli/confine.def"
#undef CALL
};

static int allow_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(allowed); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (r == 0)
		r = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return r;
}
#else
static int allow_calls(void)
{
	return -ENOSYS;
}
#endif

static int filter_calls(const struct plan *plan, char *error)
{
	int r = plan->sandbox ? allow_calls() : 0;

	if (r == -ENOSYS)
		return fail(error, r, "sandbox:", SPAN("this brownout was built without libseccomp"));
	return r < 0 ? fail(error, r, "sandbox:", SPAN("the kernel takes no filter")) : 0;
}

/* ---- all of it ---- */

int confine_begin(const struct plan *plan, char error[CONFINE_ERROR_BYTES])
{
	struct identity id;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(error, -errno, "prctl:", SPAN("no new privileges"));
	return plan->user.n ? find_wanted(plan, &id, error) : 0;
}

int confine(const struct plan *plan, char error[CONFINE_ERROR_BYTES])
{
	int r = drop_user(plan, error);

	if (r < 0)
		return r;
	/* A token must not end up in a core file, nor be read by a debugger of the same user. */
	if ((plan->admin.token.n || plan->control.token.n) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return fail(error, -errno, "prctl:", SPAN("no core files"));
	return filter_calls(plan, error);
}
