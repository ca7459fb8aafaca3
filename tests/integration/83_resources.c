/*
 * 83 resources: the program gives back what it takes, does nothing while there is nothing to do, and lives through a
 * shortage.
 */
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "harness/crowd.h"
#include "harness/rig.h"

TestSuite(resources, .timeout = 90);


static unsigned count_descriptors(const struct program *p)
{
	char path[64];
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)p->pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Milliseconds of processor time so far, of all threads. */
static long cpu_ms(const struct program *p)
{
	struct bytes b = { 0 };
	char path[64];
	const char *at;
	long user = 0, kernel = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)p->pid);
	bytes_read_file(&b, path);
	at = strrchr(bytes_text(&b), ')');
	if (at)
		sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &kernel);
	bytes_free(&b);
	return (user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

/*
 * How little processor time it needs in a while in which it should need none: the least of some, for what a busy machine adds to
 * one of them. A loop that spins needs all of each.
 */
static long least_cpu_ms(const struct program *p, int while_ms, long enough_ms)
{
	long least_ms = LONG_MAX;

	for (int i = 0; i < 5 && least_ms > enough_ms; i++) {
		long before_ms = cpu_ms(p), used_ms;

		sleep_ms(while_ms);
		used_ms = cpu_ms(p) - before_ms;
		least_ms = used_ms < least_ms ? used_ms : least_ms;
	}
	return least_ms;
}

Test(resources, descriptors_are_given_back)
{
	struct rig r;
	struct crowd c = { .rig = &r, .target = "/status/200", .n_connections = 100, .n_requests = 2000 };
	long long until_ms;
	unsigned before;

	rig_start_with(&r,
		"upstreams:\n  default: {url: 'origin:', keepalive: 0}\nrules:\n  - {percentage: 5, connection: reset}\n"
			   "  - {percentage: 5, connection: close}\n  - {percentage: 5, abort: 503}\n");
	peer_close(rig_client(&r));
	sleep_ms(50);
	before = count_descriptors(&r.program);
	crowd_run(&c);
	crowd_free(&c);
	until_ms = now_ms() + PATIENCE_MS;
	while (count_descriptors(&r.program) > before && now_ms() < until_ms)
		sleep_ms(20);
	rig_check(&r, count_descriptors(&r.program) <= before, "%u descriptors, %u before", count_descriptors(&r.program),
		before);
	rig_end(&r);
}

/* Connections in every state in which nothing happens: the loop must sleep. */
Test(resources, waiting_costs_nothing)
{
	struct rig r;
	struct message request;
	struct peer *half_closed;
	struct peer *reading;
	struct peer *upstream;
	char block[65536];
	long least_ms;

	rig_start_with(&r, "limits: {half_close: true}\nrules:\n  - {match: {path: /held}, delay: 60s}\n");
	memset(block, 'x', sizeof(block));
	rig_client(&r); /* has said nothing */
	peer_send(rig_client(&r), "GET / HT"); /* half a head */
	peer_send(rig_client(&r), GET("/held"));
	half_closed = rig_client(&r);
	peer_send(half_closed, GET("/half-closed"));
	peer_shutdown(half_closed);
	rig_request(&r, &request);
	message_free(&request);
	peer_send(rig_client(&r), "PUT /uploading HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nsome");
	rig_request_head(&r, &request)->taken += 4;
	message_free(&request);
	reading = rig_client(&r); /* takes nothing of a large answer */
	peer_send(reading, GET("/large"));
	upstream = rig_request(&r, &request);
	message_free(&request);
	peer_send(upstream, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
	for (int i = 0; i < 2000 && send(upstream->fd, block, sizeof(block), MSG_DONTWAIT | MSG_NOSIGNAL) > 0; i++)
		sleep_ms(1);
	sleep_ms(300);
	least_ms = least_cpu_ms(&r.program, 1000, 100);
	rig_check(&r, least_ms <= 100, "%ld ms of processor time in a second of waiting", least_ms);
	program_signal(&r.program, SIGTERM);
	sleep_ms(50);
	program_signal(&r.program, SIGTERM);
	rig_expect_exit(&r, 0);
}

/* The place of a client that has left is free as soon as that is seen; until then one that comes is refused. */
static void expect_served_again(struct rig *r)
{
	long long until_ms = now_ms() + PATIENCE_MS;
	struct message request;
	struct peer *client;

	for (;;) {
		client = rig_client(r);
		peer_try_send(client, GET("/"));
		while (!client->ended && !client->was_reset && !peer_rest_n(client) && !rig_try_request(r, &request))
			peer_read(client, 1);
		if (!client->ended && !client->was_reset && !peer_rest_n(client))
			break;
		rig_check(r, now_ms() < until_ms, "no place is free");
		peer_close(client);
		client->taken = client->in.n;
	}
	peer_send(request.peer, OK_HI);
	message_free(&request);
	message_read_answer(&request, client, "GET");
	expect_body(&request, "hi");
	message_free(&request);
}

Test(resources, limit_of_client_connections)
{
	struct rig r;
	struct message request, answer;
	struct peer *first;
	struct peer *second;

	rig_start_with(&r, "limits: {max_connections: 1}\n");
	first = rig_client(&r);
	rig_exchange(&r, first, GET("/"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	second = rig_client(&r);
	peer_try_send(second, GET("/"));
	while (peer_read(second, PATIENCE_MS))
		continue;
	rig_check(&r, second->ended || second->was_reset, "neither served nor refused");
	rig_check(&r, second->in.n == 0 || strncmp(bytes_text(&second->in), "HTTP/1.1 503 ", 13) == 0, "refused in another way");
	second->taken = second->in.n;
	rig_expect_upstream_silence(&r, 20);
	peer_close(first);
	expect_served_again(&r);
	rig_end(&r);
}

Test(resources, many_held_requests_are_released_when_their_clients_leave)
{
	enum { HELD = 250 };
	struct rig r;
	long long until_ms;
	unsigned before;

	rig_start_with(&r, "rules:\n  - delay: 120s\n");
	before = count_descriptors(&r.program);
	for (int i = 0; i < HELD; i++)
		peer_send(rig_client(&r), GET("/"));
	until_ms = now_ms() + PATIENCE_MS;
	while (count_descriptors(&r.program) < before + HELD && now_ms() < until_ms)
		sleep_ms(20);
	rig_check(&r, count_descriptors(&r.program) >= before + HELD, "only %u are held", count_descriptors(&r.program) - before);
	for (unsigned i = 0; i < r.n_peers; i++) {
		if (i % 2)
			peer_reset(r.peers[i]);
		else
			peer_close(r.peers[i]);
	}
	until_ms = now_ms() + PATIENCE_MS;
	while (count_descriptors(&r.program) > before && now_ms() < until_ms)
		sleep_ms(20);
	rig_check(&r, count_descriptors(&r.program) <= before, "%u connections are still held",
		count_descriptors(&r.program) - before);
	rig_expect_upstream_silence(&r, 20);
	rig_end(&r);
}

/* Out of descriptors: those who are served go on, nobody spins, and when some are free again all is well. */
Test(resources, shortage_of_descriptors)
{
	enum { CLIENTS = 60, SPARE = 12 };
	struct rig r;
	struct rlimit limit;
	struct peer *clients[CLIENTS];
	long long until_ms = now_ms() + PATIENCE_MS;
	unsigned served = 0;
	long least_ms;

	rig_start_with(&r, "rules:\n  - abort: 503\n");
	limit.rlim_cur = limit.rlim_max = count_descriptors(&r.program) + SPARE;
	rig_check(&r, prlimit(r.program.pid, RLIMIT_NOFILE, &limit, NULL) == 0, "prlimit");
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = rig_client(&r);
		peer_try_send(clients[i], GET("/"));
	}
	least_ms = least_cpu_ms(&r.program, 600, 200);
	rig_check(&r, least_ms <= 200, "%ld ms of processor time in 600 ms", least_ms);
	while (served < SPARE / 2 && now_ms() < until_ms) {
		served = 0;
		for (int i = 0; i < CLIENTS; i++) {
			peer_read(clients[i], 0);
			served += clients[i]->in.n > 0;
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		peer_close(clients[i]);
	rig_check(&r, served >= SPARE / 2, "only %u were served", served);
	rig_check(&r, !program_wait(&r.program, 300), "the program has ended");
	for (int i = 0; i < 3; i++) {
		struct peer *client = rig_client(&r);

		expect_get(client, "/", 503);
		peer_close(client);
	}
	rig_end(&r);
}

/* Many requests leave no memory behind. Sanitizers keep freed memory, so theirs is not judged. */
Test(resources, memory_does_not_grow_with_requests)
{
	struct rig r;
	struct crowd c = { .rig = &r, .target = "/bytes/2000", .n_connections = 32, .n_requests = 2000 };
	long before_kib = 0;

	rig_start_with(&r,
		"upstream: 'origin:'\nrules:\n  - {percentage: 20, abort: 503}\n  - {percentage: 5, connection: close}\n");
	for (int i = 0; i < 5; i++) {
		crowd_run(&c);
		crowd_free(&c);
		if (i == 0)
			before_kib = program_rss_kib(&r.program);
	}
	rig_check(&r, program_is_sanitized() || program_rss_kib(&r.program) - before_kib < 2048,
		"%ld KiB more after 8000 requests", program_rss_kib(&r.program) - before_kib);
	rig_end(&r);
}
