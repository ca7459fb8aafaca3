/*
 * address: text to socket addresses and back. No name is looked up but in address_resolve.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>

#define HOST_BYTES_MAX 255 /* RFC 1035 section 2.3.4 */
#define UNIX_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

/* Puts the host, without its brackets, into buf with a NUL. False where it does not fit or has a NUL itself. */
static bool copy_host(char *buf, size_t cap, struct span host)
{
	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = span_of(host.p + 1, host.n - 2);
	if (host.n == 0 || host.n >= cap || span_find(host, '\0') < host.n)
		return false;
	memcpy(buf, host.p, host.n);
	buf[host.n] = '\0';
	return true;
}

static void set_in(struct address *a, const struct in_addr *host, uint16_t port)
{
	*a = (struct address){ .in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = *host }, .n = sizeof(a->in) };
}

static void set_in6(struct address *a, const struct in6_addr *host, uint32_t scope, uint16_t port)
{
	*a = (struct address){
		.in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = *host, .sin6_scope_id = scope },
		.n = sizeof(a->in6),
	};
}

int address_from_numeric(struct address *a, struct span host, uint16_t port)
{
	char buf[INET6_ADDRSTRLEN];
	struct in_addr in;
	struct in6_addr in6;

	if (!copy_host(buf, sizeof(buf), host))
		return 1;
	if (host.p[0] != '[' && inet_pton(AF_INET, buf, &in) == 1)
		set_in(a, &in, port);
	else if (inet_pton(AF_INET6, buf, &in6) == 1)
		set_in6(a, &in6, 0, port);
	else
		return 1;
	return 0;
}

int address_from_unix(struct address *a, struct span path)
{
	bool abstract = path.n && path.p[0] == '@';
	/* A path has its NUL, an abstract name is as long as it is. */
	size_t max = sizeof(a->un.sun_path) - (abstract ? 0 : 1);

	if (path.n <= (abstract ? 1u : 0u) || path.n > max || span_find(path, '\0') < path.n)
		return 1;
	*a = (struct address){ .un = { .sun_family = AF_UNIX } };
	memcpy(a->un.sun_path, path.p, path.n);
	if (abstract)
		a->un.sun_path[0] = '\0';
	a->n = (socklen_t)(UNIX_PATH_OFFSET + path.n + (abstract ? 0 : 1));
	return 0;
}

int address_resolve(struct address *list, unsigned max, unsigned *n, struct span host, uint16_t port)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char name[HOST_BYTES_MAX + 1];
	int rc;

	*n = 0;
	if (!copy_host(name, sizeof(name), host))
		return -EAI_NONAME;
	rc = getaddrinfo(name, NULL, &hints, &found);
	if (rc != 0)
		return -rc;
	for (const struct addrinfo *i = found; i && *n < max; i = i->ai_next) {
		/* The system's lists are aligned for what they hold. */
		const void *sa = i->ai_addr;

		if (i->ai_family == AF_INET) {
			set_in(&list[(*n)++], &((const struct sockaddr_in *)sa)->sin_addr, port);
		} else if (i->ai_family == AF_INET6) {
			const struct sockaddr_in6 *in6 = sa;

			set_in6(&list[(*n)++], &in6->sin6_addr, in6->sin6_scope_id, port);
		}
	}
	freeaddrinfo(found);
	return *n ? 0 : -EAI_NONAME;
}

const char *address_resolve_error(int code)
{
	return gai_strerror(-code);
}

/* The IPv4 host of a, also where it is mapped into IPv6; false where it has none. */
static bool get_in(const struct address *a, struct in_addr *in)
{
	if (a->sa.sa_family == AF_INET) {
		*in = a->in.sin_addr;
		return true;
	}
	if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr)) {
		memcpy(in, &a->in6.sin6_addr.s6_addr[12], sizeof(*in));
		return true;
	}
	return false;
}

bool address_is_loopback(const struct address *a)
{
	struct in_addr in;

	if (a->sa.sa_family == AF_UNIX)
		return true;
	if (get_in(a, &in))
		return ntohl(in.s_addr) >> 24 == IN_LOOPBACKNET;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

/* What a unix address has in sun_path: an abstract name with its leading NUL, a path without its last one. */
static struct span unix_name(const struct address *a)
{
	struct span name = span_of(a->un.sun_path, a->n > UNIX_PATH_OFFSET ? a->n - UNIX_PATH_OFFSET : 0);

	if (name.n && name.p[0] != '\0')
		name.n = span_find(name, '\0');
	return name;
}

bool address_eq(const struct address *a, const struct address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	switch (a->sa.sa_family) {
	case AF_INET:
		return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	case AF_INET6:
		return a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
			IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
	case AF_UNIX:
		return span_eq(unix_name(a), unix_name(b));
	default:
		return false;
	}
}

uint16_t address_port(const struct address *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return ntohs(a->in.sin_port);
	case AF_INET6:
		return ntohs(a->in6.sin6_port);
	default:
		return 0;
	}
}

/* A peer chooses the path it is bound to: no control byte of it gets out. */
static void write_unix(const struct address *a, struct text *out)
{
	struct span name = unix_name(a);

	text_put_literal(out, "unix:");
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (i == 0 && c == '\0')
			text_put_char(out, '@');
		else
			text_put_char(out, (unsigned char)c < 0x20 || c == 0x7f ? '?' : c);
	}
}

void address_write_host(const struct address *a, struct text *out)
{
	char buf[INET6_ADDRSTRLEN] = "unix";
	struct in_addr in;

	if (get_in(a, &in))
		(void)inet_ntop(AF_INET, &in, buf, sizeof(buf));
	else if (a->sa.sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &a->in6.sin6_addr, buf, sizeof(buf));
	text_put_string(out, buf);
}

void address_write(const struct address *a, struct text *out)
{
	struct in_addr in;
	bool brackets = a->sa.sa_family == AF_INET6 && !get_in(a, &in);

	if (a->sa.sa_family == AF_UNIX) {
		write_unix(a, out);
		return;
	}
	if (brackets)
		text_put_char(out, '[');
	address_write_host(a, out);
	if (brackets)
		text_put_char(out, ']');
	text_put_char(out, ':');
	text_put_u64(out, address_port(a));
}

void address_bytes(const struct address *a, uint8_t bytes[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(bytes, 0, 16);
	if (a->sa.sa_family == AF_INET) {
		memcpy(bytes, mapped, sizeof(mapped));
		memcpy(bytes + sizeof(mapped), &a->in.sin_addr, 4);
	} else if (a->sa.sa_family == AF_INET6) {
		memcpy(bytes, &a->in6.sin6_addr, 16);
	}
}
