/*
 * supervisor: the protocol of sd_notify(3): datagrams of NAME=value lines to the socket that the manager names. It is a dozen
 * lines, and so no library. What cannot be sent is said once, and serving goes on.
 */
#include "cli/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define MESSAGE_BYTES 512
#define STATUS_EVERY_NS (5 * NS_PER_S)
/*
 * The manager asks for a pat in half of its time. Here it is a quarter: a pat waits until every worker has come round since the
 * last look, and one that was busy meanwhile costs a quarter, not all of what is left.
 */
#define LOOKS_PER_WATCHDOG 4

static struct {
	int fd; /* -1: no manager */
	struct sockaddr_un address;
	socklen_t address_n;
	bool has_failed;
	int64_t watchdog_ns; /* between two looks; 0: no watchdog */
	int64_t watchdog_at_ns;
	int64_t status_at_ns;
	uint64_t told_requests; /* in the last line of counts */
	int64_t told_active;
	bool stopping;
} manager = { .fd = -1 };

/* ---- datagrams ---- */

static void send_text(const struct text *message)
{
	ssize_t n;

	if (manager.fd < 0 || message->cut)
		return;
	do {
		n = sendto(manager.fd, message->p, message->n, MSG_NOSIGNAL, (const struct sockaddr *)&manager.address,
			manager.address_n);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && !manager.has_failed)
		log_warning("the service manager cannot be told: %s", strerror(errno));
	manager.has_failed = n < 0;
}

static void send_string(const char *s)
{
	char block[MESSAGE_BYTES];
	struct text message;

	text_init_fixed(&message, block, sizeof(block));
	text_put_string(&message, s);
	send_text(&message);
}

/* ---- the environment ---- */

/* False where the text is no address of a manager. */
static bool take_address(const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n < 2 || n >= sizeof(manager.address.sun_path) || (text[0] != '/' && text[0] != '@'))
		return false;
	manager.address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(manager.address.sun_path, text, n);
	if (text[0] == '@')
		manager.address.sun_path[0] = '\0';
	/* A path has its NUL, an abstract name is as long as it is. */
	manager.address_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (text[0] == '/'));
	return true;
}

static void take_watchdog(const char *usec, const char *pid)
{
	uint64_t us, wanted = 0;

	if (!usec || span_to_u64(span_of_string(usec), &us) != 0 || us == 0 || us > INT64_MAX / 1000)
		return;
	if (pid && (span_to_u64(span_of_string(pid), &wanted) != 0 || wanted != (uint64_t)getpid()))
		return;
	manager.watchdog_ns = MAX((int64_t)us * 1000 / LOOKS_PER_WATCHDOG, NS_PER_MS);
}

void supervisor_open(void)
{
	const struct timeval patience = { .tv_sec = 1 };

	if (take_address(getenv("NOTIFY_SOCKET"))) {
		manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (manager.fd < 0)
			log_warning("the service manager cannot be told: %s", strerror(errno));
		else
			(void)setsockopt(manager.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		take_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void supervisor_close(void)
{
	if (manager.fd >= 0)
		(void)close(manager.fd);
	manager.fd = -1;
}

/* ---- what is told ---- */

void supervisor_ready(struct server *server, bool refused)
{
	char block[MESSAGE_BYTES];
	struct text message;

	text_init_fixed(&message, block, sizeof(block));
	text_put_literal(&message, "READY=1\nSTATUS=serving on ");
	server_listener_address(server, 0, &message);
	text_put_string(&message, refused ? "; the new rules were refused\n" : "\n");
	send_text(&message);
	manager.status_at_ns = clock_mono_ns() + STATUS_EVERY_NS;
}

void supervisor_reloading(void)
{
	char block[MESSAGE_BYTES];
	struct text message;

	text_init_fixed(&message, block, sizeof(block));
	text_printf(&message, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reading the rules again\n",
		clock_mono_ns() / 1000);
	send_text(&message);
}

void supervisor_stopping(void)
{
	if (!manager.stopping)
		send_string("STOPPING=1\nSTATUS=stopping; open exchanges go on\n");
	manager.stopping = true;
}

/* Nothing where nothing has changed: an idle service sends nothing but pats. */
static void tell_counts(struct server *server)
{
	struct server_snapshot *snapshot = malloc(sizeof(*snapshot));
	char block[MESSAGE_BYTES];
	struct text message;
	uint64_t requests, lost;
	int64_t active;

	if (!snapshot)
		return;
	server_snapshot(server, snapshot);
	requests = atomic_load_explicit(&snapshot->total.v[COUNTER_REQUESTS], memory_order_relaxed);
	active = atomic_load_explicit(&snapshot->total.active, memory_order_relaxed);
	lost = server_snapshot_lost(snapshot);
	if (requests != manager.told_requests || active != manager.told_active) {
		text_init_fixed(&message, block, sizeof(block));
		text_printf(&message, "STATUS=%s%" PRIu64 " requests, %" PRIu64 " faults, %" PRId64 " active",
			manager.stopping ? "stopping; " : "", requests, counters_faults(&snapshot->total), active);
		if (lost)
			text_printf(&message, ", %" PRIu64 " log lines lost", lost);
		text_put_char(&message, '\n');
		send_text(&message);
	}
	manager.told_requests = requests;
	manager.told_active = active;
	free(snapshot);
}

int64_t supervisor_look(struct server *server, int64_t now_ns)
{
	if (manager.fd < 0)
		return INT64_MAX;
	if (manager.watchdog_ns && now_ns >= manager.watchdog_at_ns) {
		manager.watchdog_at_ns = now_ns + manager.watchdog_ns;
		if (server_comes_round(server))
			send_string("WATCHDOG=1\n");
	}
	if (now_ns >= manager.status_at_ns) {
		manager.status_at_ns = now_ns + STATUS_EVERY_NS;
		tell_counts(server);
	}
	return manager.watchdog_ns ? MIN(manager.watchdog_at_ns, manager.status_at_ns) : manager.status_at_ns;
}
