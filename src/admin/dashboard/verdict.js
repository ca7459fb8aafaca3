"use strict";
/*
 * verdict: how the clients behaved so far, as the judge says it. Nothing is computed here, and a check, measure or word that this
 * page does not know is shown like any other.
 */
const VERDICT_COLUMNS = [
	{ name: "Status" }, { name: "Check" }, { name: "What was seen" }, { name: "Measured", help: "and the limit, where one is set" },
	{ name: "Samples", number: true }, { name: "Told by", help: "how the attempts of one request were recognised" }, { name: "Evidence" },
];
const VERDICT_ORDER = ["fail", "warn", "inconclusive", "pass"];
const NOT_APPLICABLE = "not_applicable";
const LIMIT_SIGNS = { "<=": "\u2264", ">=": "\u2265" };

/* said: the last answer, as text, so that nothing is drawn anew (and folded) without need. open: names of checks unfolded. */
const verdict = { said: null, open: new Set() };

function spell(word) {
	return String(word ?? "").replaceAll("_", " ");
}

function listOf(value) {
	return Array.isArray(value) ? value : [];
}

/* ---- values ---- */

function formatMeasured(value, unit) {
	if (!isNumber(value))
		return value === null || value === undefined ? NONE : String(value);
	switch (unit) {
	case "seconds":
		return formatSeconds(value);
	case "share":
		return formatShare(value, 1);
	case "count":
		return formatCount(value);
	case "flag":
		return value ? "yes" : "no";
	default:
		return String(+value.toPrecision(4));
	}
}

function formatMeasure(measure) {
	const sign = LIMIT_SIGNS[measure.limit?.way] ?? measure.limit?.way;
	const wanted = measure.unit === "flag" ? "wanted" : `limit ${sign}`;
	const limit = measure.limit ? `, ${wanted} ${formatMeasured(measure.limit.value, measure.unit)}` : "";
	return `${spell(measure.key)} ${measure.at_least ? "\u2265 " : ""}${formatMeasured(measure.value, measure.unit)}${limit}`;
}

/* "1000000000012 then 1000000000019 after 512 ms: POST /charge, no key, from 10.0.0.1" */
function formatEvidence(one) {
	if (typeof one !== "object" || one === null)
		return String(one);
	const next = one.next ? ` then ${one.next.id} after ${formatSeconds(one.next.at - one.at)}` : "";
	const rest = [one.request, one.what, one.client && "from " + one.client].filter(Boolean).join(", ");
	return `${one.id ?? NONE}${next}${rest ? ": " + rest : ""}`;
}

/* Numbers of an object as one line: requests 412, faults 96. What is 0 is not told. */
function formatTotals(totals) {
	return Object.entries(totals ?? {}).filter(([, value]) => isNumber(value) && value !== 0)
		.map(([key, value]) => `${spell(key)} ${formatCount(value)}`).join(", ");
}

/* ---- rows ---- */

function makeVerdictWord(status) {
	return make("span", { class: "verdict-word", "data-verdict": status }, spell(status));
}

function makeEvidence(check, row) {
	const list = listOf(check.evidence);
	if (!list.length)
		return "";
	const name = String(check.name);
	const total = Math.max(numberOr0(check.evidence_total), list.length);
	const more = make("tr", { class: "more", role: "row" }, make("td", { role: "cell", colspan: VERDICT_COLUMNS.length },
		make("ul", { class: "mono" }, ...list.map((one) => make("li", {}, formatEvidence(one)))),
		total > list.length ? make("p", { class: "quiet" }, `the first ${list.length} of ${formatCount(total)}`) : ""));
	const show = (isOpen) => {
		verdict.open[isOpen ? "add" : "delete"](name);
		setAttribute(button, "aria-expanded", isOpen);
		if (isOpen)
			row.after(more);
		else
			more.remove();
	};
	const button = make("button", { type: "button", class: "plain open", "aria-label": `Evidence of ${spell(name)}`,
		onclick: () => show(!verdict.open.has(name)) }, formatCount(total));
	queueMicrotask(() => show(verdict.open.has(name)));
	return button;
}

function makeCheckRow(check) {
	const row = make("tr", { role: "row" });
	const measures = listOf(check.measures).map((measure) => make("div", {}, formatMeasure(measure)));

	row.append(makeCell("", "tight", makeVerdictWord(check.status)), makeCell("", "tight first", make("b", {}, spell(check.name)), " ",
		make("span", { class: "quiet" }, check.id ?? "")), makeCell("", "full", [check.text, check.scope && `(${check.scope})`].filter(Boolean).join(" ")),
	makeCell("", "full measured", ...(measures.length ? measures : [""])), makeCell("Samples", "number", formatCount(check.samples)),
	makeCell("Told by", "quiet", check.confidence === "none" ? "" : spell(check.confidence)), makeCell("Evidence", "", makeEvidence(check, row)));
	return row;
}

function rankCheck(check) {
	const at = VERDICT_ORDER.indexOf(check.status);
	return at < 0 ? VERDICT_ORDER.length : at;
}

function makeNotes(answer, left) {
	const notes = [];
	if (left.length)
		notes.push("not applicable: " + left.map((check) => spell(check.name)).join(", "));
	if (answer.policy)
		notes.push("the clients' policy " + answer.policy);
	if (answer.reproduce)
		notes.push("once more: " + answer.reproduce);
	return notes.map((note) => make("p", { class: "foot" }, note));
}

/* ---- the panel ---- */

/* A verdict stands above the exchanges, an invitation to ask for one at the end of the page. */
function placeVerdict(some) {
	const panel = byId("verdict-panel");
	if (some && panel.nextElementSibling !== byId("recent-panel"))
		byId("recent-panel").before(panel);
	else if (!some && panel.nextElementSibling)
		panel.parentNode.append(panel);
}

function inviteVerdict() {
	byId("verdict-word").replaceChildren();
	setText(byId("verdict-totals"), "");
	byId("verdict").replaceChildren(make("p", { class: "empty" }, "No expectations are set, so nobody is judged. Say under ",
		make("code", {}, "expect:"), " in the rule file how clients have to behave, for example ",
		make("code", {}, "expect: recommended"), "."));
}

/* null: there are no expectations. */
function takeVerdict(answer) {
	const some = typeof answer === "object" && answer !== null;
	const said = JSON.stringify(some ? [answer.judged, answer.verdict, answer.totals, answer.checks, answer.policy] : null);

	if (verdict.said === said)
		return;
	verdict.said = said;
	placeVerdict(some);
	if (!some) {
		inviteVerdict();
		return;
	}
	const checks = listOf(answer.checks).filter((check) => typeof check === "object" && check !== null);
	const shown = checks.filter((check) => check.status !== NOT_APPLICABLE).sort((a, b) => rankCheck(a) - rankCheck(b));
	const table = make("table", { class: "cards", role: "table", "aria-labelledby": "verdict-title" }, makeHead(VERDICT_COLUMNS),
		make("tbody", { role: "rowgroup" }, ...shown.map(makeCheckRow)));

	byId("verdict-word").replaceChildren(makeVerdictWord(answer.judged === false ? "not_judged" : answer.verdict));
	setText(byId("verdict-totals"), [answer.profile && `profile ${answer.profile}`, formatTotals(answer.totals)].filter(Boolean).join(": "));
	byId("verdict").replaceChildren(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "verdict-title" },
		shown.length ? table : make("p", { class: "empty" }, "No check has anything to say yet.")),
	...makeNotes(answer, checks.filter((check) => check.status === NOT_APPLICABLE)));
}
