/*
 * 40 body: every framing of requests and answers, cut ones included, and how each leaves on the other side (RFC 9112
 * sections 6 to 8). The large ones are in 41.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "harness/rig.h"

TestSuite(body_framing, .timeout = 60);

#define POST_LENGTH(n) "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " n "\r\n\r\n"
#define POST_CHUNKED "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

Test(body_framing, request_body_streams)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	/* The head goes on before the body is there, and each part as it comes. */
	peer_send(client, POST_LENGTH("6"));
	upstream = rig_request_head(&r, &request);
	peer_expect_silence(upstream, 20);
	peer_send(client, "abc");
	peer_expect(upstream, "abc");
	peer_send(client, "def");
	peer_expect(upstream, "def");
	peer_send(upstream, OK_HI);
	message_read_answer(&answer, client, "POST");
	expect_body(&answer, "hi");
	rig_expect_usable(&r, client);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(body_framing, answer_body_streams)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/"));
	peer_send(upstream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	message_read_answer_head(&answer, client, "GET");
	peer_expect_silence(client, 20);
	peer_send(upstream, "3\r\nabc\r\n");
	peer_expect(client, "3\r\nabc\r\n");
	peer_send(upstream, "2\r\nde\r\n");
	peer_expect(client, "2\r\nde\r\n");
	peer_send(upstream, "0\r\n\r\n");
	peer_expect(client, "0\r\n\r\n");
	rig_expect_usable(&r, client);
	message_free(&answer);
	rig_end(&r);
}

/* Each is a request body that ends before its time: the upstream must not take it for a whole one. */
static const struct {
	const char *name;
	const char *sent;
	const char *arrived; /* all that the upstream may get of the body */
	bool reset;
} cut_requests[] = {
	{ "length, FIN", POST_LENGTH("10") "abcd", "abcd", false },
	{ "length, RST", POST_LENGTH("10") "abcd", "abcd", true },
	{ "chunked, FIN within a chunk", POST_CHUNKED "5\r\nabcd", "abcd", false },
	{ "chunked, FIN between chunks", POST_CHUNKED "4\r\nabcd\r\n", "abcd", false },
	{ "chunked, FIN before the last line", POST_CHUNKED "4\r\nabcd\r\n0\r\n", "abcd", false },
	{ "chunked, RST", POST_CHUNKED "4\r\nabcd\r\n", "abcd", true },
};

Test(body_framing, cut_requests_are_cut_at_the_upstream)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(cut_requests) / sizeof(cut_requests[0]); i++) {
		struct peer *client = rig_client(&r);
		struct message request;
		struct peer *upstream;

		r.context = cut_requests[i].name;
		peer_send(client, cut_requests[i].sent);
		upstream = rig_request_head(&r, &request);
		while (!strstr(peer_rest(upstream), cut_requests[i].arrived) && peer_read(upstream, PATIENCE_MS))
			continue;
		if (cut_requests[i].reset)
			peer_reset(client);
		else
			peer_shutdown(client);
		while (peer_read(upstream, PATIENCE_MS))
			continue;
		rig_check(&r, upstream->ended || upstream->was_reset, "the upstream's connection is still open");
		rig_check(&r, strstr(peer_rest(upstream), cut_requests[i].arrived), "the upstream lacks bytes that were sent");
		rig_check(&r, !strstr(peer_rest(upstream), "\r\n0\r\n\r\n"), "the upstream got a last chunk");
		rig_check(&r, request.framing != MESSAGE_LENGTH || peer_rest_n(upstream) < request.length,
			"the body became whole");
		upstream->taken = upstream->in.n;
		message_free(&request);
	}
	rig_end(&r);
}

#define OK_LENGTH "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
#define OK_CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct {
	const char *name;
	const char *sent;
	const char *arrived;
	const char *then; /* sent once that has arrived */
	bool reset;
} cut_answers[] = {
	{ "length, FIN", OK_LENGTH "abcd", "abcd", "", false },
	{ "length, RST", OK_LENGTH "abcd", "abcd", "", true },
	{ "chunked, FIN within a chunk", OK_CHUNKED "5\r\nabcd", "abcd", "", false },
	{ "chunked, FIN between chunks", OK_CHUNKED "4\r\nabcd\r\n", "abcd", "", false },
	{ "chunked, FIN within the last line", OK_CHUNKED "4\r\nabcd\r\n", "abcd", "0\r\n", false },
	{ "chunked, RST", OK_CHUNKED "4\r\nabcd\r\n", "abcd", "", true },
	{ "chunked, broken size", OK_CHUNKED "4\r\nabcd\r\n", "abcd", "zz\r\n", false },
	{ "chunked, broken end of a chunk", OK_CHUNKED "4\r\nabc", "abc", "dXX0\r\n\r\n", false },
	{ "chunked, broken trailer", OK_CHUNKED "4\r\nabcd\r\n", "abcd", "0\r\nX-T\r\n\r\n", false },
	{ "until close, RST", "HTTP/1.1 200 OK\r\n\r\nabcd", "abcd", "", true },
};

/* RFC 9112 section 8: what is incomplete must arrive incomplete. */
Test(body_framing, cut_answers_are_cut_at_the_client)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(cut_answers) / sizeof(cut_answers[0]); i++) {
		struct peer *client = rig_client(&r);
		struct message answer;
		struct peer *upstream;

		r.context = cut_answers[i].name;
		upstream = rig_reach(&r, client, GET("/cut"));
		peer_send(upstream, cut_answers[i].sent);
		message_read_answer_head(&answer, client, "GET");
		while (!strstr(peer_rest(client), cut_answers[i].arrived) && peer_read(client, PATIENCE_MS))
			continue;
		peer_send(upstream, cut_answers[i].then);
		if (cut_answers[i].reset)
			peer_reset(upstream);
		else
			peer_shutdown(upstream);
		while (peer_read(client, PATIENCE_MS))
			continue;
		rig_check(&r, client->ended || client->was_reset, "the client's connection is still open");
		rig_check(&r, strstr(peer_rest(client), cut_answers[i].arrived), "the client lacks bytes that were sent");
		rig_check(&r, !strstr(peer_rest(client), "\r\n0\r\n"), "the client got a last chunk");
		rig_check(&r, answer.framing != MESSAGE_UNTIL_CLOSE, "the cut cannot be seen");
		rig_check(&r, strcmp(rig_log_value(rig_log_line(&r, (unsigned)i), "close"), "upstream_cut") == 0,
			"the log says %s", rig_log_value(rig_log_line(&r, (unsigned)i), "close"));
		message_free(&answer);
	}
	rig_end(&r);
}

Test(body_framing, trailers_of_a_request)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	rig_exchange(&r, rig_client(&r),
		"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
		"3\r\nabc\r\n0\r\nX-Sum: 7\r\nContent-Length: 9\r\nHost: evil\r\nTransfer-Encoding: gzip\r\nX-More: 8\r\n\r\n",
		OK_HI, &request, &answer);
	expect_body(&request, "abc");
	rig_check(&r, message_trailer(&request, "x-sum") && strcmp(message_trailer(&request, "x-sum"), "7") == 0,
		"X-Sum is lost");
	rig_check(&r, message_trailer(&request, "x-more"), "X-More is lost");
	rig_check(&r, !message_trailer(&request, "content-length") && !message_trailer(&request, "host") &&
		!message_trailer(&request, "transfer-encoding"), "a field that may not be in trailers passed");
	free_both(&request, &answer);
	/* What Connection names is not for the next one, wherever it stands: then none is passed on. */
	rig_exchange(&r, rig_client(&r),
		"POST /p HTTP/1.1\r\nHost: a\r\nConnection: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
		OK_HI, &request, &answer);
	expect_body(&request, "abc");
	rig_check(&r, request.n_trailers == 0, "what Connection names passed as a trailer");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(body_framing, trailers_of_an_answer)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	rig_exchange(&r, client, "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=b\r\n\r\n",
		&request, &answer);
	expect_body(&answer, "abc");
	rig_check(&r, message_trailer(&answer, "x-sum") && strcmp(message_trailer(&answer, "x-sum"), "7") == 0, "X-Sum is lost");
	rig_check(&r, !message_trailer(&answer, "set-cookie"), "a field that may not be in trailers passed");
	free_both(&request, &answer);
	rig_exchange(&r, client, GET("/"),
		"HTTP/1.1 200 OK\r\nConnection: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
		&request, &answer);
	expect_body(&answer, "abc");
	rig_check(&r, answer.n_trailers == 0, "what Connection names passed as a trailer");
	rig_expect_usable(&r, client);
	free_both(&request, &answer);
	rig_end(&r);
}

Test(body_framing, chunk_extensions_are_dropped)
{
	struct rig r;
	struct message request, answer;

	rig_start(&r);
	/* The harness takes no extension. */
	rig_exchange(&r, rig_client(&r), POST_CHUNKED "3;a=b\r\nabc\r\n2 ; c = \"d;\\\"e\"\r\nde\r\n0;last\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0;y=\"z\"\r\n\r\n", &request, &answer);
	expect_body(&request, "abcde");
	expect_body(&answer, "abc");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(body_framing, answer_until_close_is_chunked_for_http_1_1)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/"));
	peer_send(upstream, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nsome ");
	peer_send(upstream, "words");
	peer_shutdown(upstream);
	message_read_answer(&answer, client, "GET");
	rig_check(&r, answer.framing == MESSAGE_CHUNKED, "not chunked");
	rig_check(&r, answer.minor == 1, "version 1.%u", answer.minor);
	expect_body(&answer, "some words");
	rig_expect_usable(&r, client);
	message_free(&answer);
	rig_end(&r);
}

Test(body_framing, answer_without_length_is_until_close_for_http_1_0)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\n\r\nsome words",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsome \r\n5\r\nwords\r\n0\r\nX-T: t\r\n\r\n",
	};
	struct rig r;

	rig_start(&r);
	for (int i = 0; i < 2; i++) {
		struct message answer;
		struct peer *client = rig_client(&r);
		struct peer *upstream;

		upstream = rig_reach(&r, client, "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
		peer_send(upstream, answers[i]);
		peer_shutdown(upstream);
		message_read_answer(&answer, client, "GET");
		rig_check(&r, answer.framing == MESSAGE_UNTIL_CLOSE, "not until close");
		expect_body(&answer, "some words");
		expect_field(&answer, "transfer-encoding", NULL);
		message_free(&answer);
	}
	rig_end(&r);
}

/* Answers that have no body whatever their fields say (RFC 9112 section 6.3); what the client may see of the fields. */
static const struct {
	const char *name;
	const char *request;
	const char *answer;
	const char *length; /* as the client sees it */
} bodyless[] = {
	{ "204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", NULL },
	{ "204 with length 0", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", NULL },
	{ "204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", NULL },
	{ "204 with a coding", "DELETE", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", NULL },
	{ "304", "GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", NULL },
	{ "304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\n", "5" },
	{ "HEAD", "HEAD", "HTTP/1.1 200 OK\r\n\r\n", NULL },
	{ "HEAD with a length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "5" },
	{ "HEAD with a coding", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", NULL },
	{ "HEAD with 404", "HEAD", "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", "9" },
	{ "200 of length 0", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "0" },
	{ "205 of length 0", "POST", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "0" },
};

Test(body_framing, answers_without_a_body)
{
	struct rig r;

	rig_start(&r);
	for (size_t i = 0; i < sizeof(bodyless) / sizeof(bodyless[0]); i++) {
		struct peer *client = rig_client(&r);
		struct message request, answer;
		char sent[128];

		r.context = bodyless[i].name;
		snprintf(sent, sizeof(sent), "%s / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"a\"\r\n\r\n", bodyless[i].request);
		rig_exchange(&r, client, sent, bodyless[i].answer, &request, &answer);
		expect_field(&answer, "content-length", bodyless[i].length);
		rig_expect_usable(&r, client);
		free_both(&request, &answer);
	}
	rig_end(&r);
}

/* Transfer-Encoding counts, the length is no longer told, and that upstream connection is done (RFC 9112 section 6.3). */
Test(body_framing, answer_with_coding_and_length)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_exchange(&r, client, GET("/"),
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n", &request,
		&answer);
	expect_body(&answer, "abcde");
	expect_field(&answer, "content-length", NULL);
	peer_expect_end(upstream);
	rig_expect_usable(&r, client);
	free_both(&request, &answer);
	rig_end(&r);
}

/* Bytes behind an answer belong to no request: they must not answer the next one. */
Test(body_framing, bytes_behind_an_answer_are_no_answer)
{
	static const char evil[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, GET("/1"));
	upstream = rig_request(&r, &request);
	peer_printf(upstream, "%s%s", OK_HI, evil);
	message_read_answer(&answer, client, "GET");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_check(&r, upstream != rig_exchange(&r, client, GET("/2"), OK_HI, &request, &answer),
		"that connection was used again");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(body_framing, bytes_on_an_idle_upstream_connection_are_no_answer)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_exchange(&r, client, GET("/1"), OK_HI, &request, &answer);
	free_both(&request, &answer);
	peer_send(upstream, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
	peer_expect_end(upstream);
	rig_check(&r, upstream != rig_exchange(&r, client, GET("/2"), OK_HI, &request, &answer),
		"that connection was used again");
	expect_body(&answer, "hi");
	free_both(&request, &answer);
	rig_end(&r);
}

Test(body_framing, early_answer_while_the_client_still_sends)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, POST_LENGTH("1000000") "the beginning");
	upstream = rig_request_head(&r, &request);
	peer_expect(upstream, "the beginning");
	peer_send(upstream, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
	message_read_answer(&answer, client, "POST");
	expect_status(&answer, 413);
	expect_body(&answer, "big");
	free_both(&request, &answer);
	rig_end(&r);
}

/* The upstream answers, closes without reading, and the client goes on sending: the answer must arrive whole, before any RST. */
Test(body_framing, early_answer_survives_a_client_that_goes_on)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;
	char block[65536];

	rig_start(&r);
	memset(block, 'x', sizeof(block));
	client = rig_client(&r);
	peer_send(client, POST_LENGTH("1048576"));
	upstream = rig_request_head(&r, &request);
	peer_send(upstream, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbusy");
	peer_reset(upstream);
	for (int i = 0; i < 16; i++)
		peer_send_n(client, block, sizeof(block));
	message_read_answer(&answer, client, "POST");
	expect_status(&answer, 503);
	expect_body(&answer, "busy");
	free_both(&request, &answer);
	rig_end(&r);
}

/* Broken before anything went out: the client may get a proper 502 instead of half an answer. */
Test(body_framing, broken_chunk_at_once_is_a_cut_or_a_failure)
{
	struct rig r;
	struct message answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	upstream = rig_reach(&r, client, GET("/"));
	peer_send(upstream, OK_CHUNKED "zz\r\n");
	message_read_answer_head(&answer, client, "GET");
	if (answer.status == 502) {
		message_read_body(&answer);
		expect_error(&answer, "http_response_transfer_coding");
	} else {
		peer_expect_end(client);
	}
	peer_expect_end(upstream);
	message_free(&answer);
	rig_end(&r);
}

/* A whole answer before the whole request: the rest of the body is still read, and the connection may then go on. */
Test(body_framing, early_answer_and_the_rest_of_the_body)
{
	struct rig r;
	struct message request, answer;
	struct peer *client;
	struct peer *upstream;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(client, POST_LENGTH("10") "01234");
	upstream = rig_request_head(&r, &request);
	peer_send(upstream, OK_HI);
	message_read_answer(&answer, client, "POST");
	expect_body(&answer, "hi");
	peer_try_send(client, "56789");
	if (strcmp(message_list(&answer, "connection"), "close") == 0)
		peer_expect_fin(client);
	else
		rig_expect_usable(&r, client);
	free_both(&request, &answer);
	rig_end(&r);
}

/* A coding that cannot be taken off must not be passed off as the content itself. */
Test(body_framing, answer_in_an_unknown_coding)
{
	struct rig r;
	struct peer *client;

	rig_start(&r);
	client = rig_client(&r);
	peer_send(rig_reach(&r, client, GET("/")),
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	expect_failure(client, "GET", 502, "http_response_transfer_coding");
	rig_end(&r);
}
