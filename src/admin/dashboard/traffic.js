"use strict";
/*
 * traffic: what passes through: tiles for now, charts for the last minutes, quantiles since the start.
 */
const SAMPLES_MAX = 605;
const STATUS_CLASSES = ["2xx", "3xx", "4xx", "5xx"];

const traffic = { totals: null, status: null, tiles: {} };

function numberOr0(value) {
	return isNumber(value) ? value : 0;
}

function numberOrNull(value) {
	return isNumber(value) ? value : null;
}

function formatRate(value) {
	return isNumber(value) ? formatCount(value) + "/s" : NONE;
}

/* ---- charts ---- */

function makeCharts() {
	const perSecond = { format: formatCount, axis: formatShort, least: 10 };
	const seconds = (value) => (value === 0 ? "0" : formatSeconds(value).replace("\u00a0", "").replace(/\.0+(?=\D)/, ""));

	new Chart(byId("answers-chart"), {
		title: "Answers per second, by status", stacked: true, ...perSecond, empty: "no answers in this time",
		series: [
			{ name: "1xx", look: "c1", rare: true, value: (sample) => numberOr0(sample["1xx"]) },
			...STATUS_CLASSES.map((name) => ({ name, look: "c" + name[0], value: (sample) => numberOr0(sample[name]) })),
		],
	});
	new Chart(byId("faults-chart"), {
		title: "Injected faults and real failures per second", ...perSecond, empty: "nothing failed in this time",
		series: [
			{ name: "injected", look: "injected", value: (sample) => numberOr0(sample.faults) },
			{ name: "real", look: "real dash", value: (sample) => numberOr0(sample.failures) },
		],
	});
	new Chart(byId("delay-chart"), {
		title: "Delay, mean of each second", format: formatSeconds, axis: seconds, least: 0.001, empty: "nothing was delayed in this time",
		series: [
			{ name: "intended", look: "intended", value: (sample) => numberOrNull(sample.delay_intended_s) },
			{ name: "actual", look: "actual dash", value: (sample) => numberOrNull(sample.delay_actual_s) },
		],
	});
	for (const button of document.querySelectorAll("[data-window]"))
		button.addEventListener("click", () => setWindow(Number(button.dataset.window)));
}

function setWindow(seconds) {
	charts.window_s = seconds;
	for (const button of document.querySelectorAll("[data-window]"))
		setAttribute(button, "aria-pressed", Number(button.dataset.window) === seconds);
	charts.draw();
}

/* Samples newer than those that are there already, oldest first. */
function takeSamples(list) {
	const timed = list.filter((sample) => isNumber(sample?.time));
	/* The clock was set back: what has a later time would lie in the future. */
	if (timed.length && timed[timed.length - 1].time < newestSampleTime())
		charts.samples = charts.samples.filter((sample) => sample.time < timed[0].time);
	const newest = newestSampleTime();
	const added = timed.filter((sample) => sample.time > newest);
	if (!added.length)
		return;
	charts.samples = [...charts.samples, ...added].slice(-SAMPLES_MAX);
	charts.now = charts.samples[charts.samples.length - 1].time;
	charts.draw();
	drawTiles();
}

function newestSampleTime() {
	return charts.samples.length ? charts.samples[charts.samples.length - 1].time : 0;
}

/* ---- tiles ---- */

const TILES = [
	{
		id: "requests", name: "Requests",
		figure: (totals, sample) => [formatCount(sample?.requests), "/s"],
		more: (totals) => `${formatCount(totals?.requests)} in all`,
	},
	{
		id: "faults", name: "Faults injected", kind: "injected",
		figure: (totals, sample) => [formatCount(sample?.faults), "/s"],
		more: (totals) => `${formatCount(sumFaults(totals))} in all`,
	},
	{
		id: "active", name: "Active exchanges",
		figure: (totals) => [formatCount(totals?.active), ""],
		more: (totals) => `${formatCount(totals?.connections)} connections in all`,
	},
	{
		id: "held", name: "Held by a fault",
		figure: (totals) => [formatCount(totals?.held), ""],
		more: (totals) => tellShare(totals?.held, totals?.active, "of the active"),
	},
	{
		id: "failures", name: "Real failures", kind: "real",
		figure: (totals) => [formatCount(totals?.upstream_failures), ""],
		more: (totals, sample) => `${formatRate(sample?.failures)} now, not injected`,
	},
	{
		id: "left", name: "Clients that left",
		figure: (totals) => [formatCount(totals?.clients_left), ""],
		more: (totals) => tellShare(totals?.clients_left, totals?.requests, "of the requests"),
	},
];

function tellShare(part, whole, words) {
	return whole ? `${formatShare(part, whole)} ${words}` : "";
}

function sumFaults(totals) {
	return totals ? Object.values(totals.faults || {}).reduce((sum, n) => sum + numberOr0(n), 0) : null;
}

function makeTiles() {
	for (const tile of TILES) {
		tile.number = make("span");
		tile.unit = make("small");
		tile.moreNode = make("dd", { class: "more" });
		tile.node = make("div", { class: "tile", id: "tile-" + tile.id, "data-kind": tile.kind }, make("dt", {}, tile.name),
			make("dd", { class: "figure" }, tile.number, tile.unit), tile.moreNode);
		byId("tiles").append(tile.node);
	}
	drawTiles();
}

function drawTiles() {
	const sample = charts.samples[charts.samples.length - 1];
	for (const tile of TILES) {
		const [number, unit] = tile.figure(traffic.totals, sample);
		setText(tile.number, number);
		setText(tile.unit, number === NONE ? "" : unit);
		setText(tile.moreNode, traffic.totals ? tile.more(traffic.totals, sample) : "");
		setAttribute(tile.node, "data-some", number !== "0" && number !== NONE);
	}
}

/* ---- quantiles and kinds ---- */

const TIMES = [
	["request_time", "Request", "from the first byte of a request to its end"],
	["upstream_time", "Upstream", "from sending a request to the upstream to the head of its answer"],
	["intended_delay", "Delay, intended", "as the rules asked for it"],
	["delay_error", "Delay error", "how much longer than intended a delay was: it never ends early"],
];

function drawTimes(totals) {
	const body = make("tbody");
	for (const [key, name, help] of TIMES) {
		const times = totals[key];
		const some = times && times.count > 0;
		body.append(make("tr", { title: some ? `${help}; ${formatCount(times.count)} of them` : help }, make("td", {}, name),
			...["p50_s", "p99_s", "max_s"].map((which) => make("td", { class: "number" }, formatSeconds(some ? times[which] : null)))));
	}
	byId("times").replaceChildren(makeHead([{ name: "" }, { name: "p50", number: true, help: "half of them were faster" },
		{ name: "p99", number: true, help: "99 of 100 were faster" }, { name: "max", number: true }]), body);
}

function drawKinds(totals) {
	const kinds = Object.entries(totals.faults || {}).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
	const sum = sumFaults(totals);
	const rows = kinds.map(([kind, n]) => make("tr", {}, make("td", {}, kind), make("td", { class: "number" }, formatCount(n)),
		make("td", { class: "number quiet" }, formatShare(n, sum))));
	if (!rows.length)
		rows.push(make("tr", {}, make("td", { class: "quiet" }, "none so far")));
	byId("kinds").replaceChildren(make("tbody", {}, ...rows));
}

function takeTotals(totals) {
	if (typeof totals !== "object" || totals === null)
		return;
	traffic.totals = totals;
	drawTiles();
	drawTimes(totals);
	drawKinds(totals);
}
