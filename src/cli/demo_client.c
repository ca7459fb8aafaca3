/*
 * demo_client: connects, asks, reads until the connection ends. Holds the head and counts the rest.
 */
#include "cli/demo_client.h"

#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/message.h"

#define HEAD_BYTES 16384
#define FIELDS_MAX 100

static void copy_fault(struct demo_answer *answer, struct span value)
{
	size_t n = MIN(value.n, sizeof(answer->fault) - 1);

	for (size_t i = 0; i < n; i++)
		answer->fault[i] = value.p[i] >= ' ' && value.p[i] < 0x7f ? value.p[i] : '?';
	answer->fault[n] = '\0';
}

bool demo_client_read(char *p, size_t n, struct demo_answer *answer)
{
	struct http_field fields[FIELDS_MAX];
	struct http_response r = { .fields = { .v = fields, .cap = FIELDS_MAX } };
	const struct http_field *fault;
	enum http_error error;

	if (http_response_parse(&r, p, n, HTTP_METHOD_GET, &error) != HTTP_PARSE_OK)
		return false;
	answer->status = r.status;
	answer->bytes = n - r.head_n;
	fault = http_fields_first(&r.fields, HTTP_FIELD_X_BROWNOUT);
	if (fault)
		copy_fault(answer, fault->value);
	return true;
}

static int dial(const struct address *server)
{
	const struct timeval patience = { .tv_sec = DEMO_CLIENT_TIMEOUT_S };
	int fd = socket(server->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, &server->sa, server->n) < 0) {
		int error = errno;

		(void)close(fd);
		return -error;
	}
	return fd;
}

static int send_request(int fd, const char *target)
{
	struct text request;
	int rc;

	text_init(&request);
	text_printf(&request,
		"GET %s HTTP/1.1\r\n"
		"Host: demo.test\r\n"
		"User-Agent: brownout-demo\r\n"
		"Connection: close\r\n"
		"\r\n",
		target);
	rc = send(fd, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n ? 0 : -errno;
	text_deinit(&request);
	return rc;
}

/* Reads to the end of the connection, first into head, then to nowhere. -errno where it failed. */
static int receive(int fd, char *head, size_t *head_n, uint64_t *more)
{
	char rest[HEAD_BYTES];
	bool full = false;
	ssize_t n;

	*head_n = 0;
	*more = 0;
	while ((n = recv(fd, full ? rest : head + *head_n, full ? HEAD_BYTES : HEAD_BYTES - *head_n, 0)) > 0) {
		if (full)
			*more += (uint64_t)n;
		else
			*head_n += (size_t)n;
		full = *head_n == HEAD_BYTES;
	}
	return n < 0 ? -errno : 0;
}

void demo_client_get(const struct address *server, const char *target, struct demo_answer *answer)
{
	int64_t start_ns = clock_mono_ns();
	char head[HEAD_BYTES];
	uint64_t more = 0;
	size_t n = 0;
	int rc;
	int fd = dial(server);

	*answer = (struct demo_answer){ 0 };
	rc = MIN(fd, 0);
	if (rc == 0)
		rc = send_request(fd, target);
	if (rc == 0)
		rc = receive(fd, head, &n, &more);
	if (demo_client_read(head, n, answer))
		answer->bytes += more;
	else
		answer->error = -rc;
	if (fd >= 0)
		(void)close(fd);
	answer->elapsed_ns = clock_mono_ns() - start_ns;
}
