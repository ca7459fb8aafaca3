"use strict";
/*
 * exchanges: those that ended, newest first, through a filter; and those that are open. What the stream brings is put on the page
 * at most a few times a second, and only the newest are kept: this is a window, the access log is the whole.
 */
const RECENT_MAX = 600; /* kept; faulted ones beyond that as many again */
const RECENT_SHOWN = 200;
const RECENT_DRAW_MS = 250;
const RECENT_DRAW_BUSY_MS = 1000; /* where nobody could read along anyway */

const RECENT_COLUMNS = [
	{ name: "Time" }, { name: "Request" }, { name: "Status", help: "what the client got" },
	{ name: "Upstream", help: "what the upstream answered", less: true }, { name: "Fault or failure" }, { name: "Rule" },
	{ name: "Delay", number: true, help: "by rules, as it came to" }, { name: "Took", number: true, help: "from the first byte of the request to the end" },
	{ name: "Client", less: true }, { name: "End", help: "how the exchange ended", less: true },
];
const OPEN_COLUMNS = [
	{ name: "Age", number: true }, { name: "Request" }, { name: "State", help: "what it waits for" }, { name: "Status" }, { name: "Rule" },
	{ name: "Upstream", less: true }, { name: "Id", less: true },
];

const recent = {
	all: [], faulted: [], /* oldest first */
	next: 0, /* the highest seq seen */
	rows: new Map(), /* seq -> row, those on the page */
	isPaused: false, waiting: 0, skipped: 0, timer: 0,
};

function isFaulted(one) {
	return Boolean(one.fault || one.failure || one.reject);
}

/* ---- keeping ---- */

/* Merges by seq; what is there already is left out. */
function mergeBySeq(have, added) {
	const known = new Set(have.map((one) => one.seq));
	const merged = [...have, ...added.filter((one) => !known.has(one.seq))];
	return merged.sort((a, b) => a.seq - b.seq).slice(-RECENT_MAX);
}

function keepNewest(have, one) {
	have.push(one);
	if (have.length > RECENT_MAX)
		have.shift();
}

function takeExchanges(list) {
	const good = list.filter((one) => isNumber(one?.seq));
	if (!good.length)
		return;
	const isNewer = good.length === 1 && good[0].seq > recent.next;
	recent.next = good.reduce((most, one) => Math.max(most, one.seq), recent.next);
	if (isNewer) {
		keepNewest(recent.all, good[0]);
		if (isFaulted(good[0]))
			keepNewest(recent.faulted, good[0]);
	} else {
		recent.all = mergeBySeq(recent.all, good);
		recent.faulted = mergeBySeq(recent.faulted, good.filter(isFaulted));
	}
	if (recent.isPaused)
		recent.waiting += good.length;
	drawRecentSoon();
}

function forgetExchanges() {
	Object.assign(recent, { all: [], faulted: [], next: 0, skipped: 0 });
	drawRecentSoon();
}

function takeSkipped(n) {
	recent.skipped = numberOr0(n);
}

/* ---- the filter ---- */

function readFilter() {
	return {
		text: byId("filter-text").value.trim().toLowerCase(),
		status: byId("filter-status").value,
		rule: byId("filter-rule").value,
		faulted: byId("filter-faulted").checked,
	};
}

function passes(one, filter) {
	if (filter.faulted && !isFaulted(one))
		return false;
	if (filter.status && String(Math.floor(numberOr0(one.status) / 100)) !== filter.status)
		return false;
	if (filter.rule && one.rule !== filter.rule)
		return false;
	if (!filter.text)
		return true;
	return [one.method, one.target, one.host, one.client, one.id, one.status, one.fault, one.failure, one.reject, one.close, one.upstream]
		.join(" ").toLowerCase().includes(filter.text);
}

/* ---- rows ---- */

function makeStatus(status) {
	return isNumber(status) ? make("span", { class: "status", "data-class": Math.floor(status / 100) }, status)
		: make("span", { class: "quiet" }, "none");
}

function makeWhat(one) {
	const tags = [];
	if (one.fault)
		tags.push(make("span", { class: "tag fault" }, one.fault));
	if (one.failure)
		tags.push(make("span", { class: "tag failure", title: "a real failure of the upstream" }, one.failure));
	if (one.reject)
		tags.push(make("span", { class: "tag failure", title: "refused as malformed" }, one.reject));
	return tags;
}

function makePairs(one) {
	const pairs = Object.entries(one).filter(([key]) => key !== "seq");
	return make("dl", { class: "pairs" }, ...pairs.map(([key, value]) => make("div", {}, make("dt", {}, key), make("dd", {}, value))));
}

function requestText(one) {
	return `${one.method ?? NONE} ${one.target ?? ""}`;
}

function makeRecentRow(one) {
	const row = { one };
	const open = make("button", { type: "button", class: "plain open mono", "aria-expanded": "false", title: requestText(one),
		onclick: () => toggleExchange(row) }, requestText(one));
	const upstream = isNumber(one.upstream_status) ? [one.upstream_status] : [make("span", { class: "quiet" }, NONE)];
	const tags = makeWhat(one);

	row.open = open;
	row.node = make("tr", { role: "row" }, makeCell("", "tight", formatLogTime(one.time)), makeCell("", "target full", open),
		makeCell("", "", makeStatus(one.status)), makeCell("Upstream", "less none", ...upstream),
		makeCell("", tags.length ? "" : "none", ...tags), makeCell("", "cut", one.rule),
		makeCell("Delay", "number", one.delay_actual ? formatSeconds(one.delay_actual) : ""),
		makeCell("Took", "number", formatSeconds(one.request_time)), makeCell("Client", "less none quiet", one.client),
		makeCell("", "less" + (one.close === "complete" ? " none quiet" : ""), one.close));
	return row;
}

function toggleExchange(row) {
	if (row.more) {
		row.more.remove();
		row.more = null;
	} else {
		row.more = make("tr", { class: "more", role: "row" },
			make("td", { role: "cell", colspan: RECENT_COLUMNS.length }, makePairs(row.one)));
		row.node.after(row.more);
	}
	setAttribute(row.open, "aria-expanded", Boolean(row.more));
}

/* ---- drawing ---- */

function drawRecentSoon() {
	if (!recent.timer)
		recent.timer = setTimeout(drawRecent, recent.skipped ? RECENT_DRAW_BUSY_MS : RECENT_DRAW_MS);
}

function drawRecent() {
	recent.timer = 0;
	drawRecentCount();
	if (recent.isPaused)
		return;
	const filter = readFilter();
	const from = filter.faulted ? recent.faulted : recent.all;
	const shown = from.filter((one) => passes(one, filter)).slice(-RECENT_SHOWN).reverse();
	const rows = new Map(shown.map((one) => [one.seq, recent.rows.get(one.seq) ?? makeRecentRow(one)]));

	for (const [seq, row] of recent.rows) {
		if (!rows.has(seq)) {
			row.node.remove();
			row.more?.remove();
		}
	}
	recent.rows = rows;
	placeRows(recent.body, [...rows.values()].flatMap((row) => (row.more ? [row.node, row.more] : [row.node])));
	byId("recent").hidden = shown.length === 0;
	byId("recent-empty").hidden = shown.length > 0;
	if (!shown.length)
		drawRecentEmpty(from.length > 0 || recent.all.length > 0);
}

/* Puts the nodes in this order and touches only those that are not in their place: focus and selection stay. */
function placeRows(body, nodes) {
	let at = body.firstChild;
	for (const node of nodes) {
		if (node === at)
			at = at.nextSibling;
		else
			body.insertBefore(node, at);
	}
}

function drawRecentCount() {
	const parts = [];
	if (recent.isPaused)
		parts.push(`paused, ${formatCount(recent.waiting)} more since`);
	else if (recent.skipped)
		parts.push(`a sample: ${formatCount(recent.skipped)} in the last second are only in the access log`);
	setText(byId("recent-count"), parts.join(", "));
}

function drawRecentEmpty(isFiltered) {
	const words = byId("recent-empty");
	if (isFiltered) {
		words.replaceChildren("No recent exchange passes the filter. ",
			make("button", { type: "button", onclick: clearFilter }, "Clear the filter"));
		return;
	}
	const address = traffic.status?.listeners?.[0]?.address;
	words.replaceChildren("No exchange has ended yet. Send a request through brownout: ",
		make("code", {}, address ? `curl -i http://${address}/` : "curl -i http://127.0.0.1:8080/"));
}

function clearFilter() {
	byId("filter-text").value = byId("filter-status").value = byId("filter-rule").value = "";
	byId("filter-faulted").checked = false;
	byId("filter-text").focus();
	drawRecent();
}

function togglePause() {
	recent.isPaused = !recent.isPaused;
	recent.waiting = 0;
	setAttribute(byId("pause"), "aria-pressed", recent.isPaused);
	drawRecent();
}

/* ---- open ones ---- */

function takeOpen(answer) {
	if (!Array.isArray(answer?.exchanges))
		return;
	const list = answer.exchanges;
	const rows = list.map((one) => make("tr", { role: "row" },
		makeCell("Age", "number tight", formatSeconds(one.age_s)), makeCell("", "target full mono cut", requestText(one)),
		makeCell("", "", one.state), makeCell("", "", one.status ? makeStatus(one.status) : ""), makeCell("", "cut", one.rule),
		makeCell("", "cut less", one.upstream), makeCell("", "mono quiet less none", one.id)));
	recent.openBody.replaceChildren(...rows);
	const total = numberOr0(answer.total) || list.length;
	setText(byId("open-count"), total > list.length ? `the oldest ${formatCount(list.length)} of ${formatCount(total)}` : total ? formatCount(total) : "");
	byId("open").hidden = list.length === 0;
	byId("open-empty").hidden = list.length > 0;
}

function makeExchanges() {
	recent.body = make("tbody", { role: "rowgroup" });
	recent.openBody = make("tbody", { role: "rowgroup" });
	byId("recent").append(makeHead(RECENT_COLUMNS), recent.body);
	byId("open").append(makeHead(OPEN_COLUMNS), recent.openBody);
	byId("open-empty").append("Nothing is open at this moment. Requests that a delay or a hang holds stand here with their age and rule.");
	for (const id of ["filter-text", "filter-status", "filter-rule", "filter-faulted"])
		byId(id).addEventListener(id === "filter-text" ? "input" : "change", drawRecent);
	byId("pause").addEventListener("click", togglePause);
	drawRecent();
}
