/*
 * process_finder: address to socket by asking the kernel (sock_diag), or where it does not answer by /proc/net/tcp and tcp6;
 * socket to process by the descriptors of all processes, the newest first, since who has just connected has often just begun.
 */
#include "observe/process_finder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/lru.h"

/* Of sockets that a process has. */
#define LIVE_STATES (1u << TCP_ESTABLISHED | 1u << TCP_CLOSE_WAIT | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2)
#define CONNECTIONS_MAX 4096
#define NAME_BYTES 28 /* of comm (15), #, and a number */
#define TABLE_BYTES_MAX (16u << 20)
#define TRIES 3
#define PROCESSES_MAX 32768

struct known {
	struct lru_node node;
	char name[NAME_BYTES]; /* NUL-terminated; "": not found */
};

struct process_finder {
	struct lru known;
};

struct process_finder *process_finder_new(void)
{
	struct process_finder *f = calloc(1, sizeof(*f));

	if (f)
		lru_init(&f->known, sizeof(struct known), CONNECTIONS_MAX);
	return f;
}

void process_finder_free(struct process_finder *f)
{
	if (!f)
		return;
	lru_deinit(&f->known);
	free(f);
}

/* ---- address to socket ---- */

static bool is_mapped(const uint8_t address[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address, prefix, sizeof(prefix)) == 0;
}

static bool is_loopback(const uint8_t address[16])
{
	static const uint8_t one[16] = { [15] = 1 };

	return is_mapped(address) ? address[12] == 127 : memcmp(address, one, sizeof(one)) == 0;
}

/* As the kernel writes it: words of 32 bits in the machine's own order, in hexadecimal, and the port. */
static void write_local(struct text *out, const uint8_t *bytes, unsigned n_words, uint16_t port)
{
	for (unsigned i = 0; i < n_words; i++) {
		uint32_t word;

		memcpy(&word, bytes + 4 * (size_t)i, sizeof(word));
		text_printf(out, "%08" PRIX32, word);
	}
	text_printf(out, ":%04X", (unsigned)port);
}

/* The next word of a line, separated by spaces. */
static struct span next_word(struct span *line)
{
	struct span word;

	while (line->n && line->p[0] == ' ')
		*line = span_skip(*line, 1);
	word = span_first(*line, span_find(*line, ' '));
	*line = span_skip(*line, word.n);
	return word;
}

uint64_t process_finder_inode(struct span table, const uint8_t address[16], uint16_t port, bool ipv6)
{
	char block[48];
	struct text local;

	text_init_fixed(&local, block, sizeof(block));
	write_local(&local, ipv6 ? address : address + 12, ipv6 ? 4 : 1, port);
	while (table.n) {
		struct span line = span_first(table, span_find(table, '\n')), rest = line;
		uint64_t inode = 0;

		table = span_skip(table, line.n + 1);
		(void)next_word(&rest); /* "12:" */
		if (!span_eq(next_word(&rest), text_span(&local)))
			continue;
		/* The other end, state, queues, timer, retransmits, user, timeout; then the inode. */
		for (unsigned i = 0; i < 7; i++)
			(void)next_word(&rest);
		if (span_to_u64(next_word(&rest), &inode) == 0 && inode)
			return inode;
	}
	return 0;
}

static void read_table(const char *name, struct text *out)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	char block[16384];
	ssize_t n;

	while (fd >= 0 && out->n < TABLE_BYTES_MAX && (n = read(fd, block, sizeof(block))) > 0)
		text_put(out, block, (size_t)n);
	if (fd >= 0)
		(void)close(fd);
}

/* ---- the same by asking the kernel, which leaves out the many that are closed already ---- */

/* Of one answer: the inode where it is this socket. */
static uint64_t match_socket(const struct inet_diag_msg *m, const uint8_t address[16], uint16_t port)
{
	const uint8_t *wanted = m->idiag_family == AF_INET ? address + 12 : address;

	if (m->id.idiag_sport != htons(port) || memcmp(m->id.idiag_src, wanted, m->idiag_family == AF_INET ? 4 : 16) != 0)
		return 0;
	return m->idiag_inode;
}

/* Reads the answers to their end. False where there are none. */
static bool read_answers(int fd, const uint8_t address[16], uint16_t port, uint64_t *inode)
{
	_Alignas(struct nlmsghdr) char block[32768];

	for (;;) {
		ssize_t n = recv(fd, block, sizeof(block), 0);
		size_t left = n > 0 ? (size_t)n : 0;

		if (n <= 0)
			return false;
		for (struct nlmsghdr *h = (void *)block; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return true;
			if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
				return false;
			if (!*inode)
				*inode = match_socket(NLMSG_DATA(h), address, port);
		}
	}
}

static bool ask_kernel(uint8_t family, const uint8_t address[16], uint16_t port, uint64_t *inode)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = { .nlmsg_len = sizeof(message), .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.request = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = LIVE_STATES },
	};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool answered;

	if (fd < 0)
		return false;
	answered = send(fd, &message, sizeof(message), 0) == (ssize_t)sizeof(message) && read_answers(fd, address, port, inode);
	(void)close(fd);
	return answered;
}

static uint64_t inode_by_kernel(const uint8_t address[16], uint16_t port, bool *answered)
{
	uint64_t inode = 0;

	*answered = true;
	if (is_mapped(address))
		*answered = ask_kernel(AF_INET, address, port, &inode);
	if (*answered && !inode)
		*answered = ask_kernel(AF_INET6, address, port, &inode);
	return inode;
}

static uint64_t inode_of(const uint8_t address[16], uint16_t port)
{
	struct text table;
	bool answered;
	uint64_t inode = inode_by_kernel(address, port, &answered);

	if (answered)
		return inode;
	text_init(&table);
	if (is_mapped(address)) {
		read_table("/proc/net/tcp", &table);
		inode = process_finder_inode(text_span(&table), address, port, false);
		text_clear(&table);
	}
	if (!inode) {
		read_table("/proc/net/tcp6", &table);
		inode = process_finder_inode(text_span(&table), address, port, true);
	}
	text_deinit(&table);
	return inode;
}

/* ---- socket to process ---- */

static bool has_descriptor(const char *process, const char *wanted)
{
	char path[64], link[64];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir)) != NULL) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

static int newest_first(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x < y) - (x > y);
}

/* All processes; 0 where memory is out. The caller frees. */
static unsigned list_processes(uint32_t **list)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned n = 0;

	*list = dir ? malloc(PROCESSES_MAX * sizeof(**list)) : NULL;
	while (*list && n < PROCESSES_MAX && (entry = readdir(dir)) != NULL) {
		uint64_t pid;

		if (span_to_u64(span_of_string(entry->d_name), &pid) == 0 && pid <= UINT32_MAX)
			(*list)[n++] = (uint32_t)pid;
	}
	if (dir)
		(void)closedir(dir);
	if (n)
		qsort(*list, n, sizeof(**list), newest_first);
	return n;
}

/* "name#pid"; "" where it is gone. */
static void put_name(char name[NAME_BYTES], const char *process)
{
	char path[64], comm[17] = "";
	ssize_t n = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/comm", process);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, comm, sizeof(comm) - 1);
		(void)close(fd);
	}
	comm[MAX(n, 0)] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	(void)snprintf(name, NAME_BYTES, "%.15s#%.10s", comm[0] ? comm : "process", process);
}

static void find(const uint8_t address[16], uint16_t port, char name[NAME_BYTES])
{
	uint64_t inode = 0;
	char wanted[40], process[12];
	uint32_t *list = NULL;
	unsigned n;

	/* A list of sockets that change while it is made may miss one. */
	for (unsigned i = 0; !inode && i < TRIES; i++)
		inode = inode_of(address, port);
	if (!inode)
		return;
	(void)snprintf(wanted, sizeof(wanted), "socket:[%" PRIu64 "]", inode);
	n = list_processes(&list);
	for (unsigned i = 0; i < n && !name[0]; i++) {
		(void)snprintf(process, sizeof(process), "%" PRIu32, list[i]);
		if (has_descriptor(process, wanted))
			put_name(name, process);
	}
	free(list);
}

/* ---- what is known ---- */

void process_finder_name(struct process_finder *f, uint64_t connection, const uint8_t address[16], uint16_t port,
	struct text *out)
{
	uint64_t hash = lru_hash(0, connection);
	struct known *known;
	struct lru_node node;
	bool evicted;

	if (!is_loopback(address))
		return;
	known = (struct known *)lru_find(&f->known, hash, 0, connection);
	if (!known) {
		known = (struct known *)lru_add(&f->known, hash, 0, connection, &evicted);
		if (!known)
			return;
		node = known->node;
		*known = (struct known){ .node = node };
		find(address, port, known->name);
	}
	text_put_string(out, known->name);
}
