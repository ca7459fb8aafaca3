/* errors: what is wrong with a file, word by word, with its place. */
#include "config/decode.h"

#include "support.h"

struct bad {
	const char *source;
	const char *text; /* all diagnostics */
};

static void check(const struct bad *cases, size_t n, void (*load)(struct loaded *l, const char *source))
{
	for (size_t i = 0; i < n; i++) {
		struct loaded l;

		load(&l, cases[i].source);
		cr_expect_str_eq(l.text, cases[i].text, "%s\n gives\n%s", cases[i].source, l.text);
		support_free(&l);
	}
}

/* Rules stand in line 3 from column 3. */

Test(errors, keys)
{
	static const struct bad cases[] = {
		{ "{abrot: 503, delay: 1s}", "3:4: error: rules[0]: unknown key \"abrot\", did you mean \"abort\"?\n" },
		{ "{latency: 5, delay: 1s}", "3:4: error: rules[0]: unknown key \"latency\"\n" },
		{ "{path: /a, delay: 1s}",
			"3:4: error: rules[0]: unknown key \"path\", it belongs below \"match\" or \"request\"\n" },
		{ "{method: GET, delay: 1s}", "3:4: error: rules[0]: unknown key \"method\", it belongs below \"match\"\n" },
		{ "{honoured: 1, delay: 1s}", "3:4: error: rules[0]: unknown key \"honoured\"\n" },
		{ "{delay: {fxied: 1s}}", "3:12: error: rules[0].delay: unknown key \"fxied\", did you mean \"fixed\"?\n" },
		{ "{abort: {reason: x}}", "3:11: error: rules[0].abort: the key \"status\" is missing\n" },
		{ "{delay: 1s, delay: 2s}",
			"3:15: error: the key \"delay\" is given twice\n"
			"3:4: note: first given here\n" },
		{ "{}", "3:3: error: rules[0]: there is no fault: give one, such as abort: 503 or delay: 250ms\n" },
		{ "text", "3:3: error: rules[0]: must be a rule (a mapping), not a text\n" },
		{ "delay:1s",
			"3:3: error: rules[0]: must be a rule (a mapping), not a text (a blank is missing behind the \":\")\n" },
		{ "[]", "3:3: error: rules[0]: must be a rule (a mapping), not a list\n" },
		{ "", "3:2: error: rules[0]: must be a rule (a mapping), not empty\n" },
	};

	check(cases, ARRAY_LEN(cases), support_load_rule);
}

Test(errors, kinds)
{
	static const struct bad cases[] = {
		{ "{delay: [1s]}",
			"3:11: error: rules[0].delay: must be a duration or a mapping such as {uniform: 100ms..2s}, not a "
			"list\n" },
		{ "{delay: }", "3:11: error: rules[0].delay: must be a duration, not empty\n" },
		{ "{delay: 1s, enabled: yes}", "3:24: error: rules[0].enabled: \"yes\" is not true or false (write true)\n" },
		{ "{delay: 1s, enabled: Off}", "3:24: error: rules[0].enabled: \"Off\" is not true or false (write false)\n" },
		{ "{delay: 1s, enabled: TRUE}",
			"3:24: error: rules[0].enabled: \"TRUE\" is not true or false (in lower case)\n" },
		{ "{delay: 1s, enabled: maybe}", "3:24: error: rules[0].enabled: \"maybe\" is not true or false\n" },
		{ "{delay: 1s, enabled: {}}", "3:24: error: rules[0].enabled: must be true or false, not a mapping\n" },
		{ "{delay: 1s, phase: reqest}",
			"3:22: error: rules[0].phase: \"reqest\" is not one of request or response, did you mean "
			"\"request\"?\n" },
		{ "{delay: 1s, match: x}",
			"3:22: error: rules[0].match: must be a match (a mapping of conditions), not a text\n" },
		{ "{delay: 1s, phase: [request]}",
			"3:22: error: rules[0].phase: must be request or response, not a list\n" },
		{ "{pass: false}", "3:10: error: rules[0].pass: \"false\" is not true\n" },
		{ "{delay: 1s, match: {method: {a: b}}}",
			"3:31: error: rules[0].match.method: must be a method such as GET, not a mapping\n" },
		{ "{delay: 1s, match: {headers: [a]}}",
			"3:32: error: rules[0].match.headers: must be a mapping, each value a text with * for anything or "
			"a mapping with regex or present, not a list\n" },
	};

	check(cases, ARRAY_LEN(cases), support_load_rule);
}

Test(errors, numbers)
{
	static const struct bad cases[] = {
		{ "delay: 10 minutes", "3:10: error: rules[0].delay: \"10 minutes\" is not a duration (write 10m)\n" },
		{ "delay: 250", "3:10: error: rules[0].delay: \"250\" is not a duration (write 250ms or 250s)\n" },
		{ "delay: -1s", "3:10: error: rules[0].delay: \"-1s\" is not a duration\n" },
		{ "delay: 100ms..2s",
			"3:10: error: rules[0].delay: \"100ms..2s\" is not a duration (write {uniform: 100ms..2s} for a "
			"random delay)\n" },
		{ "delay: 25h", "3:10: error: rules[0].delay: 25h is out of range (at most 24h)\n" },
		{ "delay: {uniform: 2s..1s}",
			"3:20: error: rules[0].delay.uniform: \"2s..1s\" is not a range of durations such as 100ms..2s "
			"(write 1s..2s)\n" },
		{ "{delay: 1s, percentage: 101}", "3:27: error: rules[0].percentage: 101 is out of range (0 to 100)\n" },
		{ "{delay: 1s, percentage: 100.000001}",
			"3:27: error: rules[0].percentage: 100.000001 is out of range (0 to 100)\n" },
		{ "{delay: 1s, percentage: 10%}",
			"3:27: error: rules[0].percentage: \"10%\" is not a percentage of 0 to 100 with up to 6 decimals "
			"(write 10)\n" },
		{ "{delay: 1s, percentage: 0.0000001}",
			"3:27: error: rules[0].percentage: \"0.0000001\" is not a percentage of 0 to 100 with up to 6 "
			"decimals\n" },
		{ "{delay: 1s, first: 0}", "3:22: error: rules[0].first: 0 is out of range (1 to 1000000000000)\n" },
		{ "{delay: 1s, every: 0}", "3:22: error: rules[0].every: 0 is out of range (1 to 1000000000000)\n" },
		{ "{delay: 1s, after: 1_000}", "3:22: error: rules[0].after: \"1_000\" is not a whole number (write 1000)\n" },
		{ "{delay: 1s, after: 1.5}", "3:22: error: rules[0].after: \"1.5\" is not a whole number\n" },
	};

	check(cases, ARRAY_LEN(cases), support_load_rule);
}

Test(errors, names_and_keys_of_counting)
{
	static const struct bad cases[] = {
		{ "{delay: 1s, name: a b}",
			"3:21: error: rules[0].name: \"a b\" is not a name: letters, digits and ._-/: (write a-b)\n" },
		{ "{delay: 1s, name: \"\"}",
			"3:21: error: rules[0].name: \"\" is not a name: letters, digits and ._-/: (write a-name)\n" },
		{ "{delay: 1s, name: a23456789012345678901234567890123456789012345678901234567890abcde}",
			"3:21: error: rules[0].name: a name has at most 64 bytes\n" },
		{ "{delay: 1s, key: heder:x}",
			"3:20: error: rules[0].key: \"heder:x\" is not one of ordinal, client, fingerprint, header:NAME, "
			"cookie:NAME, query:NAME, did you mean \"header\"?\n" },
		{ "{delay: 1s, key: header}", "3:20: error: rules[0].key: \"header\" needs a name (write header:NAME)\n" },
		{ "{delay: 1s, key: \"header:\"}",
			"3:20: error: rules[0].key: \"header:\" needs a name (write header:NAME)\n" },
		{ "{delay: 1s, key: \"header:a b\"}",
			"3:20: error: rules[0].key: \"header:a b\" needs a name (write header:NAME)\n" },
		{ "{delay: 1s, key: client}",
			"3:20: warning: rules[0]: key has no effect without percentage, after, first or every\n" },
		{ "{delay: 1s, key: client, percentage: 50}", "" },
		{ "{delay: 1s, key: client, every: 2}", "" },
		{ "{delay: 1s, key: ordinal}", "" },
		{ "{delay: 1s, key: client:x}", "3:20: error: rules[0].key: \"client\" takes no name (write client)\n" },
		{ "{delay: 1s, key: [client]}",
			"3:20: error: rules[0].key: must be one of ordinal, client, fingerprint, header:NAME, cookie:NAME, "
			"query:NAME, not a list\n" },
	};

	check(cases, ARRAY_LEN(cases), support_load_rule);
}

Test(errors, match)
{
	static const struct bad cases[] = {
		{ "{delay: 1s, match: {path: checkout}}",
			"3:29: error: rules[0].match.path: \"checkout\" is not a path (write /checkout)\n" },
		{ "{delay: 1s, match: {path: \"\"}}", "3:29: error: rules[0].match.path: \"\" is not a path (write /)\n" },
		{ "{delay: 1s, match: {path: /s?q=1}}",
			"3:29: error: rules[0].match.path: \"/s?q=1\" holds a query; match that with query: {name: value}\n" },
		{ "{delay: 1s, match: {path: [/a, b]}}",
			"3:34: error: rules[0].match.path[1]: \"b\" is not a path (write /b)\n" },
		{ "{delay: 1s, match: {path: []}}", "3:29: error: rules[0].match.path: must not be empty\n" },
		{ "{sequence: }",
			"3:14: error: rules[0].sequence: must be a list, each entry a status, pass or a mapping of faults, not "
			"empty\n" },
		{ "{outcomes: ~}",
			"3:14: error: rules[0].outcomes: must be a list, each entry a mapping with weight and faults, not "
			"empty\n" },
		{ "{sequence: []}", "3:14: error: rules[0].sequence: must not be empty\n" },
		{ "{delay: 1s, match: {path: {prefix: /a, regex: b}}}",
			"3:29: error: rules[0].match.path: needs exactly one of prefix, regex\n" },
		{ "{delay: 1s, match: {path: {prefix: a}}}",
			"3:38: error: rules[0].match.path.prefix: \"a\" is not a path (write /a)\n" },
		{ "{delay: 1s, match: {path: {regex: \"a(b\"}}}",
			"3:37: error: rules[0].match.path.regex: \"a(b\" is not a regular expression: missing closing "
			"parenthesis (after 3 bytes)\n" },
		{ "{delay: 1s, match: {host: \"a.test:80\"}}",
			"3:29: error: rules[0].match.host: a host is matched without its port (write a.test)\n" },
		{ "{delay: 1s, match: {method: \"G T\"}}",
			"3:31: error: rules[0].match.method: \"G T\" is not a method such as GET\n" },
		{ "{delay: 1s, match: {method: get}}",
			"3:31: warning: rules[0].match.method: \"get\" is not GET: methods are case-sensitive\n" },
		{ "{delay: 1s, match: {client: 10.0.0.1/8}}",
			"3:31: error: rules[0].match.client: \"10.0.0.1/8\" is not an address or network (10.0.0.0/8: no "
			"bits set behind the length)\n" },
		{ "{delay: 1s, match: {headers: {\"a b\": c}}}",
			"3:33: error: rules[0].match.headers.a b: \"a b\" is not the name of a header field\n" },
		{ "{delay: 1s, match: {headers: {a: {present: 1}}}}",
			"3:46: error: rules[0].match.headers.a.present: \"1\" is not true or false (write true)\n" },
		{ "{delay: 1s, match: {listener: defalt}}",
			"3:33: error: rules[0].match.listener: there is no listener \"defalt\"\n" },
		{ "{delay: 1s, match: {upstream: defalt}}",
			"3:33: error: rules[0].match.upstream: there is no upstream \"defalt\", did you mean \"default\"?\n" },
		{ "{delay: 1s, match: {status: 503}}",
			"3:31: error: rules[0].match.status: the upstream's answer is known only in phase: response\n" },
		{ "{delay: 1s, match: {any: [{path: /a}, {not: {status: 503}}]}}",
			"3:56: error: rules[0].match.status: the upstream's answer is known only in phase: response\n" },
		{ "{phase: response, delay: 1s, match: {status: [503, 6xx]}}",
			"3:54: error: rules[0].match.status[1]: \"6xx\" is not a status code (503), class (5xx) or range "
			"(500-599)\n" },
		{ "{phase: response, delay: 1s, match: {status: 599-500}}",
			"3:48: error: rules[0].match.status: \"599-500\" is not a status code (503), class (5xx) or range "
			"(500-599)\n" },
		{ "{phase: response, delay: 1s, match: {status: []}}",
			"3:48: error: rules[0].match.status: must not be empty\n" },
		{ "{phase: response, delay: 1s, match: {status: {class: 503}}}",
			"3:56: error: rules[0].match.status.class: \"503\" is not a class of status codes such as 5xx\n" },
		{ "{delay: 1s, match: {any: []}}", "3:28: error: rules[0].match.any: must be a list of at least one match\n" },
		{ "{delay: 1s, match: {any: {path: /a}}}",
			"3:28: error: rules[0].match.any: must be a list of at least one match\n" },
		{ "{delay: 1s, match: {not: {}}}", "3:28: error: rules[0].match.not: must not be empty\n" },
		{ "{delay: 1s, match: {any: [{}]}}", "3:29: error: rules[0].match.any[0]: must not be empty\n" },
		{ "{delay: 1s, match: {not: }}", "3:28: error: rules[0].match.not: must be a match (a mapping of "
			"conditions), not empty\n" },
	};

	check(cases, ARRAY_LEN(cases), support_load_rule);
}

/* A rule of which a part was forgotten would do nothing, or act on everything. */
Test(errors, nothing_behind_a_key)
{
	static const struct bad rules[] = {
		{ "{delay: {normal: }}",
			"3:20: error: rules[0].delay.normal: must be a mapping with mean and stddev, not empty\n" },
		{ "{delay: {pareto: }}",
			"3:20: error: rules[0].delay.pareto: must be a mapping with scale and shape, not empty\n" },
		{ "{abort: 503, ramp: }", "3:22: error: rules[0].ramp: must be a mapping with from and over, not empty\n" },
		{ "{abort: 503, burst: ~}", "3:23: error: rules[0].burst: must be a mapping with enter and leave, not empty\n" },
		{ "early_hints:", "3:15: error: rules[0].early_hints: must be a mapping with headers, not empty\n" },
		{ "{phase: response, rewrite: }", "3:30: error: rules[0].rewrite: must be a mapping, not empty\n" },
		{ "request:", "3:11: error: rules[0].request: must be a mapping, not empty\n" },
		{ "{abort: 503, match: }",
			"3:23: error: rules[0].match: must be a match (a mapping of conditions), not empty\n" },
		{ "{abort: 503, match: {headers: null}}",
			"3:33: error: rules[0].match.headers: must be a mapping, each value a text with * for anything or "
			"a mapping with regex or present, not empty\n" },
		{ "{abort: 503, phase: }", "3:23: error: rules[0].phase: must be request or response, not empty\n" },
	};
	static const struct bad files[] = {
		{ "upstream: origin\nlisteners: [{address: \":80\", routes: }]\n",
			"2:38: error: listeners[0].routes: must be a list, each entry a route (a mapping), not empty\n" },
		{ "upstream: origin\nlisteners:\n",
			"2:11: error: listeners: must be a list, each entry a listener (a mapping), not empty\n" },
		{ "upstream: origin\nheader_control:\n",
			"2:16: error: header_control: must be a mapping with enabled and allow, not empty\n" },
		{ "upstream: origin\nlimits:\nlog:\nsafety:\nrules:\n", "" },
	};

	check(rules, ARRAY_LEN(rules), support_load_rule);
	check(files, ARRAY_LEN(files), support_load);
}

/* What is meant to turn a log off, or on, makes no file of that name. */
Test(errors, where_logs_go)
{
	static const struct bad cases[] = {
		{ "upstream: origin\nlog: {access: false}\n",
			"2:15: error: log.access: \"false\" is not stderr, stdout, off or the path of a file (write off, or "
			"./NAME for a file of that name)\n" },
		{ "upstream: origin\nlog: {trace: On}\n",
			"2:14: error: log.trace: \"On\" is not stderr, stdout, off or the path of a file (write stderr, or "
			"./NAME for a file of that name)\n" },
		{ "upstream: origin\nlog: {access: \"a\\0b\"}\n",
			"2:15: error: log.access: \"a\" is not stderr, stdout, off or the path of a file\n" },
		{ "upstream: origin\nlog: {access: x, trace: x}\n",
			"2:25: error: log: access and trace cannot both go to \"x\"\n" },
		{ "upstream: origin\nlog: {access: \"off\", trace: \"off\"}\n", "" },
		{ "upstream: origin\nlog: {access: ./false, trace: off}\n", "" },
	};

	check(cases, ARRAY_LEN(cases), support_load);
}

Test(errors, status)
{
	static const struct bad cases[] = {
		{ "abort: 101",
			"3:10: error: rules[0].abort: 101 Switching Protocols is interim and cannot be the answer: use a "
			"final code (200 to 599)\n" },
		{ "abort: 600", "3:10: error: rules[0].abort: \"600\" is not a final status code (200 to 599)\n" },
		{ "abort: 5xx", "3:10: error: rules[0].abort: \"5xx\" is not a final status code (200 to 599)\n" },
		{ "abort: {status: {class: 5xx}}",
			"3:19: error: rules[0].abort.status: must be a final status code (200 to 599), not a mapping\n" },
		{ "abort: {status: 204, body: x}",
			"3:30: error: rules[0].abort: 204 No Content has no content: leave body out (RFC 9110 6.4.1)\n" },
		{ "abort: {status: 205, body: {json: {}}}",
			"3:30: error: rules[0].abort: 205 Reset Content has no content: leave body out (RFC 9110 6.4.1)\n" },
		{ "abort: 477",
			"3:10: warning: rules[0].abort: 477 is not a registered status code; clients treat it as 400\n" },
		{ "abort: 306", "3:10: warning: rules[0].abort: 306 is registered as unused\n" },
		{ "abort: 304",
			"3:10: error: rules[0].abort: 304 answers only conditional GET and HEAD requests: the rule needs "
			"match: {method: [GET, HEAD], headers: {if-none-match: {present: true}}}\n" },
		{ "{abort: 304, match: {method: [GET, HEAD], headers: {if-none-match: {present: true}}}}", "" },
		{ "{abort: 206, match: {method: GET, headers: {range: {present: true}}}}",
			"3:11: error: rules[0].abort: 206 Partial Content must carry Content-Range: give it under headers\n" },
		{ "{abort: {status: 206, headers: {content-range: bytes 0-0/1}, body: x}}",
			"3:20: error: rules[0].abort: 206 answers only GET requests for a range: the rule needs match: "
			"{method: GET, headers: {range: {present: true}}}\n" },
		{ "{abort: {status: 206, headers: {content-range: bytes 0-0/1}, body: x}, match: {method: GET, headers: "
			"{range: \"*\"}}}",
			"" },
		{ "abort: 425",
			"3:10: warning: rules[0].abort: 425 is for requests sent in early data (RFC 8470 5.2): match "
			"headers: {early-data: \"1\"}, or clients may not know what it means\n" },
		{ "{abort: 425, match: {headers: {early-data: \"1\"}}}", "" },
		{ "abort: 418", "" },
		{ "abort: 520", "" },
	};

	check(cases, ARRAY_LEN(cases), support_load_rule);
}

Test(errors, answer)
{
	static const struct bad cases[] = {
		{ "abort: {status: 503, headers: {Content-Length: 5}}",
			"3:34: error: rules[0].abort.headers.Content-Length: Content-Length frames the message; brownout "
			"sets it itself\n" },
		{ "abort: {status: 503, headers: {transfer-encoding: chunked}}",
			"3:34: error: rules[0].abort.headers.transfer-encoding: transfer-encoding frames the message; "
			"brownout sets it itself\n" },
		{ "abort: {status: 503, headers: {x-brownout: a}}",
			"3:34: error: rules[0].abort.headers.x-brownout: x-brownout is the evidence that brownout itself "
			"sets (see fault_header)\n" },
		{ "abort: {status: 503, headers: {\"a:\": b}}",
			"3:34: error: rules[0].abort.headers.a:: \"a:\" is not the name of a header field\n" },
		{ "abort: {status: 503, headers: {a: \"b\\r\\nc: d\"}}",
			"3:37: error: rules[0].abort.headers.a: a header value is one line without control characters\n" },
		{ "abort: {status: 503, headers: {a: [b, \"c\\0\"]}}",
			"3:41: error: rules[0].abort.headers.a[1]: a header value is one line without control characters\n" },
		{ "abort: {status: 503, headers: {a: \" b\"}}",
			"3:37: error: rules[0].abort.headers.a: a header value cannot begin or end with a blank\n" },
		{ "abort: {status: 503, headers: {a: }}",
			"3:37: error: rules[0].abort.headers.a: must be a text of one line, not empty\n" },
		{ "abort: {status: 503, headers: [a]}",
			"3:33: error: rules[0].abort.headers: must be a mapping of names to texts\n" },
		{ "abort: {status: 503, reason: \"a\\nb\"}",
			"3:32: error: rules[0].abort.reason: a reason phrase is one line without control characters\n" },
		{ "abort: {status: 503, body: [a]}",
			"3:30: error: rules[0].abort.body: must be a text or a mapping with json or file, not a list\n" },
		{ "abort: {status: 503, body: {jsno: a}}",
			"3:31: error: rules[0].abort.body: unknown key \"jsno\", did you mean \"json\"?\n" },
		{ "abort: {status: 503, retry_after: soon}",
			"3:37: error: rules[0].abort.retry_after: \"soon\" is not a duration such as 5s or a range such as "
			"2s..6s\n" },
		{ "abort: {status: 503, retry_after: 1s, headers: {Retry-After: 2}}",
			"3:37: error: rules[0].abort: both retry_after and headers.retry-after are given\n" },
		{ "abort: {status: 500, retry_after: 1s}",
			"3:37: warning: rules[0].abort: Retry-After has no meaning with 500; clients look for it in 413, "
			"429, 503 and 3xx\n" },
		{ "{abort: 503, connection: close}",
			"3:28: error: rules[0]: a rule cannot have both abort and connection: one sends an answer, the "
			"other none\n" },
		{ "connection: drop", "3:15: error: rules[0].connection: \"drop\" is not one of close, reset or refuse\n" },
	};

	check(cases, ARRAY_LEN(cases), support_load_rule);
}

Test(errors, file)
{
	static const struct bad cases[] = {
		{ "",
			"1:1: error: there is no upstream: write \"upstream: http://127.0.0.1:9000\", or \"upstream: "
			"origin\" for the embedded one\n" },
		{ "rules:\n- abort: 503\n",
			"1:1: error: there is no upstream: write \"upstream: http://127.0.0.1:9000\", or \"upstream: "
			"origin\" for the embedded one\n" },
		{ "upstreams: {}\n", "1:1: error: upstreams is empty: write \"upstream: http://127.0.0.1:9000\"\n" },
		{ "- a\n",
			"1:1: error: a rule file is a mapping of keys such as upstream and rules\n"
			"1:1: error: there is no upstream: write \"upstream: http://127.0.0.1:9000\", or \"upstream: "
			"origin\" for the embedded one\n" },
		{ "upstream: localhost:9000\n",
			"1:11: error: upstream: \"localhost:9000\" has no scheme (write http://localhost:9000)\n" },
		{ "upstream: {keepalive: 1}\n", "1:11: error: upstream: the key \"url\" is missing\n" },
		{ "upstream: origin\nlisten: 8080\n",
			"2:9: error: listen: \"8080\" is only a port (write 127.0.0.1:8080, or :8080 for all addresses)\n" },
		{ "upstream: origin\nlisten: :1\nlisteners: [{name: default, address: \":2\"}]\n",
			"3:20: error: another listener is named \"default\"\n"
			"2:9: note: named so first here\n" },
		{ "upstream: origin\nlisteners: [{address: \":1\"}, {name: listener-1, address: \":2\"}]\n",
			"2:37: error: another listener is named \"listener-1\"\n"
			"2:13: note: named so first here\n" },
		{ "upstream: origin\nupstreams: {default: origin}\n",
			"1:11: error: the upstream named default is given here and under upstreams\n" },
		{ "upstreams: {\"a b\": origin}\n",
			"1:13: error: upstreams.a b: \"a b\" is not a name: letters, digits and ._-/: (write a-b)\n" },
		{ "upstreams: {a: origin, b: origin}\n",
			"1:1: error: the listener \"default\" has no routes, and of several upstreams none is named "
			"default: write routes: [{upstream: a}]\n" },
		{ "upstream: origin\nlisteners: [{address: \":1\", routes: [{upstream: defualt}]}]\n",
			"2:49: error: listeners[0].routes[0].upstream: there is no upstream \"defualt\", did you mean "
			"\"default\"?\n" },
		{ "upstream: origin\nlisteners: [{address: \":1\", routes: [{match: {status: 503}, upstream: default}]}]\n",
			"2:47: error: listeners[0].routes[0].match: unknown key \"status\"\n" },
		{ "upstream: origin\nlimits: {max_headers: 5000, drian: 1s}\n",
			"2:23: error: limits.max_headers: 5000 is out of range (8 to 1000)\n"
			"2:29: error: limits: unknown key \"drian\", did you mean \"drain\"?\n" },
		{ "upstream: origin\nlimits: {max_header_bytes: 64k}\n",
			"2:28: error: limits.max_header_bytes: \"64k\" is not a size (write 64KiB)\n" },
		{ "upstream: origin\nlimits: {max_header_bytes: 1GiB}\n",
			"2:28: error: limits.max_header_bytes: 1GiB is out of range (1KiB to 1MiB)\n" },
		{ "upstream: origin\nworkers: 0\n", "2:10: error: workers: 0 is out of range (1 to 256)\n" },
		{ "upstream: origin\nseed: -1\n", "2:7: error: seed: \"-1\" is not a whole number\n" },
		{ "upstream: origin\nlog: {access: \"\", format: jsn}\n",
			"2:15: error: log.access: must not be empty\n"
			"2:27: error: log.format: \"jsn\" is not one of text or json, did you mean \"json\"?\n" },
		{ "upstream: origin\nexclude: healthz\n",
			"2:10: error: exclude: \"healthz\" is not a path (write /healthz)\n" },
		{ "upstream: origin\ntls: {certificate: x}\n",
			"2:1: error: unknown key \"tls\", it belongs below \"upstream\" or \"upstreams\" or \"listeners\"\n" },
		{ "upstream: origin\nmethod: GET\n", "2:1: error: unknown key \"method\", it belongs below \"rules[].match\"\n" },
		{ "upstream: origin\nhonoured: 1\n",
			"2:1: error: unknown key \"honoured\", it belongs below \"expect.retry_after\"\n" },
		{ "upstream: origin\nheaders: {a: b}\n", "2:1: error: unknown key \"headers\", it belongs below \"log\" or "
							"\"rules[].match\" or \"rules[].request\"\n" },
		{ "upstream: origin\naddress: 127.0.0.1:1\n", "2:1: error: unknown key \"address\", it belongs below "
								"\"listeners\" or \"admin\"\n" },
		{ "upstream: origin\nrules: {abort: 503}\n",
			"2:8: error: rules: must be a list, each entry a rule (a mapping), not a mapping\n" },
		{ "upstream: origin\nrules:\n- {name: a, delay: 1s}\n- {name: a, delay: 1s}\n",
			"4:10: error: another rule is named \"a\"\n"
			"3:10: note: named so first here\n" },
		{ "upstream: origin\nrules:\n- {name: rule-2, delay: 1s}\n- {delay: 1s}\n",
			"4:3: error: another rule is named \"rule-2\"\n"
			"3:10: note: named so first here\n" },
	};

	check(cases, ARRAY_LEN(cases), support_load);
}

Test(errors, never_reached)
{
	static const struct bad cases[] = {
		{ "upstream: origin\nrules:\n- {name: a, abort: 503}\n- {name: b, delay: 1s}\n",
			"4:3: warning: the rule \"b\" can never act: \"a\" before it ends every request that it matches\n" },
		{ "upstream: origin\n"
			"rules:\n"
			"- {name: a, connection: reset, match: {path: /a/**}}\n"
			"- {name: b, abort: 503, match: {path: /a/b}}\n",
			"4:3: warning: the rule \"b\" can never act: \"a\" before it ends every request that it matches\n" },
		{ "upstream: origin\n"
			"rules:\n"
			"- {name: a, abort: 503}\n"
			"- {name: b, phase: response, abort: 500, match: {status: 200}}\n",
			"4:3: warning: the rule \"b\" can never act: \"a\" before it ends every request that it matches\n" },
		{ "upstream: origin\nrules:\n- {phase: response, abort: 503}\n- {delay: 1s}\n", "" },
		{ "upstream: origin\nrules:\n- {abort: 503, percentage: 99.999999}\n- {delay: 1s}\n", "" },
		{ "upstream: origin\nrules:\n- {abort: 503, after: 1}\n- {delay: 1s}\n", "" },
		{ "upstream: origin\nrules:\n- {abort: 503, first: 1}\n- {delay: 1s}\n", "" },
		{ "upstream: origin\nrules:\n- {abort: 503, every: 2}\n- {delay: 1s}\n", "" },
		{ "upstream: origin\nrules:\n- {abort: 503, enabled: false}\n- {delay: 1s}\n", "" },
		{ "upstream: origin\nrules:\n- {abort: 503}\n- {delay: 1s, enabled: false}\n", "" },
		{ "upstream: origin\nrules:\n- {delay: 1s}\n- {abort: 503}\n", "" },
		{ "upstream: origin\nrules:\n- {abort: 503, match: {path: /a}}\n- {delay: 1s}\n", "" },
		{ "upstream: origin\n"
			"listeners:\n"
			"- address: :1\n"
			"  routes: [{upstream: default}, {match: {path: /a}, upstream: default}]\n",
			"4:33: warning: this route is never reached: route 1 takes all its requests\n" },
	};

	check(cases, ARRAY_LEN(cases), support_load);
}

Test(errors, all_at_once_in_order)
{
	struct loaded l;

	support_load(&l, "rules:\n- abort: 99\n- delay: x\n  bogus: 1\nupstream: x\nseed: y\nfault_header: no\n");
	cr_expect_str_eq(l.text, "2:10: error: rules[0].abort: \"99\" is not a final status code (200 to 599)\n"
				 "3:10: error: rules[1].delay: \"x\" is not a duration\n"
				 "4:3: error: rules[1]: unknown key \"bogus\"\n"
				 "5:11: error: upstream: \"x\" has no scheme (write http://x)\n"
				 "6:7: error: seed: \"y\" is not a whole number\n"
				 "7:15: error: fault_header: \"no\" is not true or false (write false)\n");
	support_free(&l);
}

Test(errors, a_hundred_and_no_more)
{
	struct text source;
	struct loaded l;

	text_init(&source);
	text_put_literal(&source, "upstream: origin\nrules:\n");
	for (unsigned i = 0; i < 150; i++)
		text_put_literal(&source, "- delay: x\n");
	support_load_with(&l, text_span(&source), NULL, NULL);
	cr_expect(l.d.n == DIAGNOSTICS_MAX && l.d.cut && l.d.n_errors == 150);
	support_free(&l);
	text_deinit(&source);
}

static void put_regexes(struct text *source, unsigned n)
{
	text_put_literal(source, "upstream: origin\nexclude:\n");
	for (unsigned i = 0; i < n; i++)
		text_put_literal(source, "- {regex: a}\n");
}

Test(errors, too_many_regexes)
{
	struct text source;
	struct loaded l;

	text_init(&source);
	put_regexes(&source, DECODE_REGEXES_MAX);
	support_load_with(&l, text_span(&source), NULL, NULL);
	cr_expect_not_null(l.plan, "%s", l.text);
	support_free(&l);
	text_clear(&source);
	text_put_literal(&source, "rules: [{delay: 1s, match: {path: {regex: b}}}]\n");
	put_regexes(&source, DECODE_REGEXES_MAX);
	support_load_with(&l, text_span(&source), NULL, NULL);
	cr_expect_str_eq(l.text, "1:43: error: rules[0].match.path.regex: more than 1000 regular expressions\n", "%s", l.text);
	support_free(&l);
	text_deinit(&source);
}

/* All pairs of conditions of all pairs of rules would be four thousand millions. */
Test(errors, comparing_rules_is_bounded, .timeout = 10)
{
	struct text source;
	struct loaded l;

	text_init(&source);
	text_put_literal(&source, "upstream: origin\nrules:\n");
	for (unsigned i = 0; i < 1000; i++) {
		text_put_literal(&source, "- {abort: 503, match: {path: [");
		for (unsigned k = 0; k < 90; k++)
			text_printf(&source, "/p%u,", k);
		text_printf(&source, "/x%u]}}\n", i);
	}
	support_load_with(&l, text_span(&source), NULL, NULL);
	cr_expect_not_null(l.plan, "%s", l.text);
	support_free(&l);
	text_deinit(&source);
}

Test(errors, too_many_rules)
{
	struct text source;
	struct loaded l;

	text_init(&source);
	text_put_literal(&source, "upstream: origin\nrules:\n");
	for (unsigned i = 0; i < RULESET_RULES_MAX; i++)
		text_put_literal(&source, "- {delay: 1s}\n");
	support_load_with(&l, text_span(&source), NULL, NULL);
	cr_assert_not_null(l.plan, "%s", l.text);
	cr_expect_eq(l.plan->rules.n, RULESET_RULES_MAX);
	support_free(&l);
	text_put_literal(&source, "- {delay: 1s}\n");
	support_load_with(&l, text_span(&source), NULL, NULL);
	cr_expect_str_eq(l.text, "3:1: error: rules: has 10001 entries; at most 10000 are allowed\n");
	support_free(&l);
	text_deinit(&source);
}
