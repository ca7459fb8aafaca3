/*
 * load_attack: clients that attack the subject beside those that are measured: that take no answers, that say nothing, that come
 * and go, that ask without a pause. They live in the load generator's thread, which does one small thing for them a round: had
 * they a process of their own on the same core, what is measured would be how long the kernel lets them have it.
 *
 * Whoever is turned away comes back. Nothing that becomes of them is an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "load.h"
#include "sock.h"

#define ASK(target) "GET " target " HTTP/1.1\r\nHost: a\r\n"
#define LARGE ASK("/bytes/10485760") "\r\n"
#define SMALL ASK("/bytes/1024") "\r\n"
#define HALF ASK("/bytes/1024") "X-A: "
#define HOLLOW "POST /bytes/1024 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
#define OK_TEXT "HTTP/1.1 200"
#define BATCH 100 /* requests in one call of those who do not wait */
#define TAKEN_BYTES (256 * 1024) /* thrown away in one call */
#define CONNECTING_MAX 256 /* well under every subject's backlog */
#define BACK_NS NS_PER_MS /* at most one comes back in this time */
#define SOURCES 64 /* loopback addresses that short connections come from */

static const struct attack {
	unsigned members;
	const char *first; /* what each says when it is there */
	int64_t every_ns; /* one of them does its part: drips, or comes and goes */
} attacks[LOAD_ATTACKS] = {
	[LOAD_ATTACK_NONE] = { 0, "", 0 },
	[LOAD_ATTACK_SILENT] = { 10000, "", 0 },
	[LOAD_ATTACK_SLOW_HEADS] = { 2000, HALF, NS_PER_S / 2000 }, /* each a byte a second */
	/* As slow, and fewer than some subjects let through to one upstream at a time. */
	[LOAD_ATTACK_SLOW_BODIES] = { 900, HOLLOW, NS_PER_S / 900 },
	[LOAD_ATTACK_SLOW_READERS] = { 200, LARGE, 0 },
	[LOAD_ATTACK_PIPELINE] = { 4, "", 0 },
	[LOAD_ATTACK_STORM] = { 0, SMALL, NS_PER_MS },
};

const char *const load_attack_names[LOAD_ATTACKS] = {
#define X(id, name) name,
	LOAD_ATTACKS_TABLE(X)
#undef X
};

struct attacker {
	struct source source;
	int fd;
	bool is_there; /* connected */
	size_t sent_bytes; /* of the batch */
	struct list link; /* crowd.gone or crowd.there; none while it connects */
};

static struct {
	const struct attack *attack;
	struct attacker *members;
	unsigned connecting;
	unsigned there_count;
	unsigned came; /* of a storm, so far */
	struct list gone, there;
	int64_t open_due_ns;
	int64_t due_ns;
	char batch[BATCH * sizeof(SMALL)];
	size_t batch_bytes;
} crowd;

static void say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void leave(struct attacker *a)
{
	close(a->fd);
	if (a->is_there)
		crowd.there_count--;
	else
		crowd.connecting--;
	a->is_there = false;
	list_remove(&a->link);
	list_push_back(&crowd.gone, &a->link);
}

/* Of the 10 MiB there must be some: a refusal holds nothing of the subject's. */
static bool is_refused(const struct attacker *a)
{
	char text[sizeof(OK_TEXT) - 1];
	ssize_t n = recv(a->fd, text, sizeof(text), MSG_PEEK);

	return n == 0 || (n == (ssize_t)sizeof(text) && memcmp(text, OK_TEXT, sizeof(text)) != 0);
}

/* Asks for more, and throws away what has come: one call each. false: the connection is over. */
static bool ask_on(struct attacker *a, uint32_t events)
{
	ssize_t n;

	if (events & EPOLLOUT) {
		n = send(a->fd, crowd.batch + a->sent_bytes, crowd.batch_bytes - a->sent_bytes, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return false;
		a->sent_bytes = (a->sent_bytes + (size_t)MAX(n, 0)) % crowd.batch_bytes;
	}
	if (!(events & EPOLLIN))
		return true;
	n = recv(a->fd, NULL, TAKEN_BYTES, MSG_TRUNC);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void on_event(struct source *self, uint32_t events)
{
	struct attacker *a = container_of(self, struct attacker, source);

	if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) {
		leave(a);
		return;
	}
	if (!a->is_there && (events & EPOLLOUT)) {
		a->is_there = true;
		crowd.connecting--;
		crowd.there_count++;
		list_push_back(&crowd.there, &a->link);
		say(a->fd, crowd.attack->first);
	}
	if (load.options.attack == LOAD_ATTACK_PIPELINE ? !ask_on(a, events) : (events & EPOLLIN) && is_refused(a))
		leave(a);
}

static void open_next(void)
{
	struct attacker *a = container_of(list_pop_front(&crowd.gone), struct attacker, link);
	uint32_t edge = load.options.attack == LOAD_ATTACK_PIPELINE ? 0 : EPOLLET;

	a->fd = sock_connect((uint16_t)load.options.target_port, 0);
	a->sent_bytes = 0;
	crowd.connecting++;
	sock_watch(load.epoll_fd, a->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | edge, &a->source);
}

/* One more byte of a head or body that does not end. */
static void drip(void)
{
	struct list *node = list_pop_front(&crowd.there);

	if (!node)
		return;
	say(container_of(node, struct attacker, link)->fd, "x");
	list_push_back(&crowd.there, node);
}

/* Comes, says something, and is gone: each second one by a reset. */
static void come_and_go(void)
{
	const struct linger reset = { 1, 0 };
	int fd = sock_connect((uint16_t)load.options.target_port, 2 + crowd.came % SOURCES);

	say(fd, crowd.attack->first);
	if (crowd.came++ % 2)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

void attack_init(void)
{
	crowd.attack = &attacks[load.options.attack];
	list_init(&crowd.gone);
	list_init(&crowd.there);
	crowd.members = calloc(crowd.attack->members + 1, sizeof(*crowd.members));
	if (!crowd.members)
		die("calloc");
	for (unsigned i = 0; i < crowd.attack->members; i++) {
		crowd.members[i].source.on_event = on_event;
		list_push_back(&crowd.gone, &crowd.members[i].link);
	}
	for (unsigned i = 0; i < BATCH; i++, crowd.batch_bytes += sizeof(SMALL) - 1)
		memcpy(crowd.batch + crowd.batch_bytes, SMALL, sizeof(SMALL) - 1);
}

bool attack_is_whole(void)
{
	return crowd.there_count == crowd.attack->members;
}

void attack_turn(void)
{
	bool beginning = load.phase == LOAD_CONNECTING;

	if (!list_is_empty(&crowd.gone) && (beginning ? crowd.connecting < CONNECTING_MAX : load.now_ns >= crowd.open_due_ns)) {
		crowd.open_due_ns = load.now_ns + BACK_NS;
		open_next();
	} else if (crowd.attack->every_ns && load.now_ns >= crowd.due_ns) {
		crowd.due_ns = MAX(crowd.due_ns, load.now_ns - NS_PER_S) + crowd.attack->every_ns;
		if (crowd.attack->members)
			drip();
		else
			come_and_go();
	}
}
