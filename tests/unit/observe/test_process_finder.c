/*
 * process_finder: our own process is found by a connection of ours; what is not on this machine, or gone, is not.
 */
#include "observe/process_finder.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

/* A connection on loopback; returns the client's descriptor, its address and port. */
static int connection(int *listener, uint8_t address[16], uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(*listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(listen(*listener, 1), 0);
	cr_assert_eq(getsockname(*listener, (struct sockaddr *)&at, &n), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	memset(address, 0, 16);
	address[10] = address[11] = 0xff;
	memcpy(address + 12, &at.sin_addr, 4);
	*port = ntohs(at.sin_port);
	return fd;
}

Test(process_finder, finds_this_process_and_remembers_it)
{
	struct process_finder *f = process_finder_new();
	uint8_t address[16];
	uint16_t port;
	int listener, fd = connection(&listener, address, &port);
	char expected[24];
	struct text name;

	(void)snprintf(expected, sizeof(expected), "#%d", (int)getpid());
	text_init(&name);
	process_finder_name(f, 7, address, port, &name);
	text_put_char(&name, '\0');
	cr_assert(name.n > 1 && strstr(name.p, expected), "%s", name.p);
	/* Though it is gone. */
	(void)close(fd);
	text_clear(&name);
	process_finder_name(f, 7, address, port, &name);
	cr_assert_gt(name.n, 0);
	/* Another connection that was never there. */
	text_clear(&name);
	process_finder_name(f, 8, address, 1, &name);
	cr_assert_eq(name.n, 0);
	text_deinit(&name);
	(void)close(listener);
	process_finder_free(f);
}

Test(process_finder, others_are_not_asked_for)
{
	static const uint8_t far_away[16] = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 };
	struct process_finder *f = process_finder_new();
	struct text name;

	text_init(&name);
	process_finder_name(f, 1, far_away, 80, &name);
	cr_assert_eq(name.n, 0);
	text_deinit(&name);
	process_finder_free(f);
}

Test(process_finder, lines_of_the_kernels_table)
{
	static const char table[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100\n"
		"   1: 0100007F:9C40 0100007F:1F90 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0\n"
		"   2: 0100007F:9C41 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 99 1 0\n"
		"   3: 0100007F:9C42\n";
	static const uint8_t loopback[16] = { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 };

	cr_assert_eq(process_finder_inode(SPAN(table), loopback, 0x1f90, false), 4711);
	cr_assert_eq(process_finder_inode(SPAN(table), loopback, 0x9c40, false), 0, "closed: it has no inode");
	cr_assert_eq(process_finder_inode(SPAN(table), loopback, 0x9c41, false), 99);
	cr_assert_eq(process_finder_inode(SPAN(table), loopback, 0x9c42, false), 0, "cut");
	cr_assert_eq(process_finder_inode(SPAN_EMPTY, loopback, 1, false), 0);
}
