"use strict";
/*
 * verdict: how the clients behaved so far, as the judge says it. Nothing is computed here, and a check that this page does not know
 * is shown like any other.
 */
const VERDICT_COLUMNS = [
	{ name: "Status" }, { name: "Check" }, { name: "Scope", help: "rule or client" }, { name: "Value", number: true },
	{ name: "Limit", number: true }, { name: "Samples", number: true }, { name: "Confidence" }, { name: "What was seen" }, { name: "Evidence", help: "exchange ids" },
];
const VERDICT_ORDER = ["fail", "warn", "inconclusive", "pass"];
const EVIDENCE_SHOWN = 6;

function verdictName(status) {
	return String(status ?? "").toLowerCase().replaceAll(/[ -]/g, "_");
}

/* A number with its unit, or whatever text the judge made of it. */
function formatValue(value, unit, text) {
	if (typeof text === "string" && text)
		return text;
	if (value === null || value === undefined)
		return "";
	if (isNumber(value))
		return unit === "s" ? formatSeconds(value) : +value.toPrecision(4) + (unit ? "\u00a0" + unit : "");
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function formatEvidence(list) {
	if (!Array.isArray(list))
		return "";
	const ids = list.map((one) => (typeof one === "object" && one !== null ? one.id ?? one.exchange ?? JSON.stringify(one) : one));
	return ids.slice(0, EVIDENCE_SHOWN).join(", ") + (ids.length > EVIDENCE_SHOWN ? ` and ${ids.length - EVIDENCE_SHOWN} more` : "");
}

function makeCheckRow(check) {
	const status = verdictName(check.status);
	return make("tr", { role: "row" },
		makeCell("", "", make("span", { class: "verdict-word", "data-verdict": status }, status.replaceAll("_", " "))),
		makeCell("", "name full", check.title ?? check.id), makeCell("Scope", "", check.scope),
		makeCell("Value", "number", formatValue(check.value, check.unit, check.value_text)),
		makeCell("Limit", "number", formatValue(check.limit, check.unit, check.limit_text)),
		makeCell("Samples", "number", formatCount(check.n ?? check.samples)), makeCell("Confidence", "quiet", check.confidence),
		makeCell("What was seen", "full", check.message ?? check.text), makeCell("Evidence", "mono evidence full", formatEvidence(check.evidence)));
}

function verdictRank(check) {
	const at = VERDICT_ORDER.indexOf(verdictName(check.status));
	return at < 0 ? VERDICT_ORDER.length : at;
}

/* Plain members of an object as one line: requests 412, faults 96. */
function formatMembers(object) {
	if (typeof object !== "object" || object === null)
		return "";
	return Object.entries(object).filter(([, value]) => isNumber(value) || typeof value === "string")
		.map(([key, value]) => `${key.replaceAll("_", " ")} ${isNumber(value) ? formatValue(value) : value}`).join(", ");
}

/* A verdict stands above the exchanges, an invitation to ask for one at the end of the page. */
function placeVerdict(some) {
	const panel = byId("verdict-panel");
	if (some && panel.nextElementSibling !== byId("recent-panel"))
		byId("recent-panel").before(panel);
	else if (!some && panel.nextElementSibling)
		panel.parentNode.append(panel);
}

/* null: there are no expectations. */
function takeVerdict(answer) {
	const word = byId("verdict-word");
	const some = typeof answer === "object" && answer !== null;

	placeVerdict(some);
	setText(byId("verdict-totals"), some ? formatMembers(answer.totals) : "");
	if (!some) {
		word.replaceChildren();
		byId("verdict").replaceChildren(make("p", { class: "empty" }, "No expectations are set, so nobody is judged. Say under ",
			make("code", {}, "expect:"), " in the rule file how clients have to behave, for example ", make("code", {}, "expect: {profile: recommended}"),
			"."));
		return;
	}
	const status = verdictName(answer.verdict ?? answer.status);
	word.replaceChildren(make("span", { class: "verdict-word", "data-verdict": status }, status.replaceAll("_", " ")));
	const checks = Array.isArray(answer.checks) ? [...answer.checks] : [];
	checks.sort((a, b) => verdictRank(a) - verdictRank(b));
	const table = make("table", { class: "cards", role: "table", "aria-labelledby": "verdict-title" }, makeHead(VERDICT_COLUMNS),
		make("tbody", { role: "rowgroup" }, ...checks.map(makeCheckRow)));
	const notes = [answer.fingerprint, answer.reproduce].filter((one) => typeof one === "string" && one)
		.map((one) => make("p", { class: "foot mono" }, one));
	byId("verdict").replaceChildren(make("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "verdict-title" },
		checks.length ? table : make("p", { class: "empty" }, "No check has anything to say yet.")), ...notes);
}
