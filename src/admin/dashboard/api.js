"use strict";
/*
 * api: requests to the admin API of the page's own origin. The token, where one is needed, travels in a header alone: it is taken
 * from the address once, then the address is cleaned, and it is kept for this tab.
 */
const ANSWER_TIMEOUT_MS = 10000;
const STREAM_SILENCE_MS = 20000; /* the server says something every 15 s at least */
const STREAM_LINE_MAX = 1 << 20;

class ApiError extends Error {
	/* status 0: no answer at all. details: [{line, column, message}]; the message alone does not repeat the first of them. */
	constructor(status, message, details) {
		const list = Array.isArray(details) ? details : [];
		const first = list[0]?.message;
		super(first && message.endsWith(": " + first) ? message.slice(0, -first.length - 2).replace(/, the first$/, "") : message);
		this.status = status;
		this.details = list;
	}
}

const token = {
	value: recall("sessionStorage", "token"),

	/* ?token= or #token= */
	takeFromAddress() {
		const address = new URL(location.href);
		const found = address.searchParams.get("token") ?? new URLSearchParams(address.hash.slice(1)).get("token");
		if (found === null)
			return;
		this.set(found);
		address.searchParams.delete("token");
		address.hash = "";
		history.replaceState(null, "", address);
	},

	set(value) {
		this.value = value;
		remember("sessionStorage", "token", value);
	},
};

function makeHeaders(extra) {
	const headers = new Headers(extra);
	if (token.value) {
		try {
			headers.set("Authorization", "Bearer " + token.value);
		} catch {
			token.set(null); /* no header can carry it, so it is not the token */
		}
	}
	return headers;
}

async function readError(answer) {
	let said = {};
	try {
		said = await answer.json();
	} catch {
		/* an answer of something between, or none */
	}
	const message = typeof said?.error === "string" ? said.error : `${answer.status} ${answer.statusText}`.trim();
	return new ApiError(answer.status, message, said?.details);
}

/* JSON where the answer is JSON, text otherwise, null for 204. Throws ApiError. */
async function ask(method, path, body, type) {
	const headers = makeHeaders(body === undefined ? {} : { "Content-Type": type || "application/json" });
	let answer;
	try {
		answer = await fetch(path, {
			method, headers, cache: "no-store", redirect: "error",
			body: body === undefined || type ? body : JSON.stringify(body),
			signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
		});
		if (answer.ok) {
			if (answer.status === 204)
				return null;
			return (answer.headers.get("Content-Type") || "").includes("json") ? await answer.json() : await answer.text();
		}
	} catch (error) {
		throw new ApiError(0, error.name === "TimeoutError" ? "brownout does not answer" : "brownout cannot be reached");
	}
	throw await readError(answer);
}

/* One block of an event stream; null where it holds no data. */
function parseEvent(block) {
	let name = "message";
	const data = [];
	for (const line of block.split("\n")) {
		if (line.startsWith("event:"))
			name = line.slice(6).trim();
		else if (line.startsWith("data:"))
			data.push(line.slice(5).trim());
	}
	if (data.length === 0)
		return null;
	try {
		return { name, data: JSON.parse(data.join("\n")) };
	} catch {
		return null;
	}
}

/*
 * Reads an event stream until it ends, gives each event to take(name, data). Returns when the server ends it, throws ApiError where
 * it cannot be had or falls silent. An EventSource could not send the token.
 */
async function follow(path, signal, take) {
	const silence = new AbortController();
	let timer = 0;
	const heard = () => {
		clearTimeout(timer);
		timer = setTimeout(() => silence.abort(), STREAM_SILENCE_MS);
	};
	try {
		heard();
		const answer = await fetch(path, {
			headers: makeHeaders({ Accept: "text/event-stream" }), cache: "no-store", redirect: "error",
			signal: AbortSignal.any([signal, silence.signal]),
		});
		if (!answer.ok)
			throw await readError(answer);
		const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
		let kept = "";
		for (;;) {
			const { done, value } = await reader.read();
			if (done)
				return;
			heard();
			const blocks = (kept + value.replaceAll("\r\n", "\n")).split("\n\n");
			kept = blocks.pop();
			if (kept.length > STREAM_LINE_MAX)
				throw new ApiError(0, "the stream of events makes no sense");
			for (const event of blocks.map(parseEvent)) {
				if (event)
					take(event.name, event.data);
			}
		}
	} catch (error) {
		throw error instanceof ApiError ? error : new ApiError(0, "the stream of events broke off");
	} finally {
		clearTimeout(timer);
		silence.abort();
	}
}
