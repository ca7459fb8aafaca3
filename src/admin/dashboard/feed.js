"use strict";
/*
 * feed: where the page's values come from. First all there is, then a stream of events; where that cannot be had although brownout
 * answers, questions once a second. A hidden page asks nothing. Every way back is taken again and again, each time after a longer pause.
 */
const RULES_EVERY_MS = 1000;
const OPEN_EVERY_MS = 2000;
const VERDICT_EVERY_MS = 5000; /* it costs brownout more than any other question here */
const STATUS_EVERY_MS = 10000;
const POLL_EVERY_MS = 1000;
const POLL_ROUNDS = 30; /* then the stream is tried again */
const RECENT_LIMIT = 200;
const OPEN_LIMIT = 100;
const STREAM_RATE = 50; /* exchanges a second at most */
const BACK_OFF_MS = [500, 1000, 2000, 4000, 8000, 15000];

const feed = { stop: null, started: null, inSight: new Set() };

function pause(ms, signal) {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, ms);
		signal.addEventListener("abort", () => {
			clearTimeout(timer);
			resolve();
		}, { once: true });
	});
}

/* ---- single questions ---- */

async function loadStatus() {
	const status = await ask("GET", "v1/status");
	/* Another run: its exchanges are numbered from the beginning. */
	if (feed.started !== null && status.started !== feed.started)
		forgetExchanges();
	feed.started = status.started ?? null;
	takeStatus(status);
}

async function loadRules() {
	const changes = rules.changes;
	const answer = await ask("GET", "v1/rules?text=0");
	if (changes === rules.changes)
		takeRules(answer);
}

async function loadRecent() {
	const since = recent.next ? "&since=" + recent.next : "";
	const answers = await Promise.all([ask("GET", `v1/recent?limit=${RECENT_LIMIT}${since}`),
		ask("GET", `v1/recent?limit=${RECENT_LIMIT}&faulted=1${since}`)]);
	takeExchanges(answers.flatMap((answer) => answer?.exchanges ?? []));
}

async function loadTraffic() {
	const since = newestSampleTime();
	const [totals, past] = await Promise.all([ask("GET", "v1/totals"), ask("GET", "v1/history" + (since ? "?since=" + since : ""))]);
	takeTotals(totals);
	takeSamples(past?.samples ?? []);
}

async function loadVerdict() {
	takeVerdict(traffic.status?.expectations ? await ask("GET", "v1/verdict") : null);
}

async function loadOpen() {
	takeOpen(await ask("GET", "v1/exchanges?limit=" + OPEN_LIMIT));
}

/* ---- the stream ---- */

function takeEvent(name, data) {
	showLink("live", "live");
	switch (name) {
	case "sample":
		takeSamples([data]);
		break;
	case "totals":
		takeSkipped(data?.exchanges_skipped);
		takeTotals(data);
		break;
	case "exchange":
		takeExchanges([data]);
		break;
	case "armed":
		showArmed(data?.armed);
		break;
	case "generation":
		refresh(loadStatus, loadRules);
		break;
	default:
		break; /* of a newer version */
	}
}

/* Questions beside the stream, whose failure the stream will notice too. */
function refresh(...questions) {
	for (const question of questions)
		question().catch((error) => (error.status === 401 ? restart() : undefined));
}

/* ---- the whole ---- */

/* One panel that cannot be filled leaves the others as they are; no answer at all, or a token that is needed, ends it. */
async function loadAll(...questions) {
	const answers = await Promise.allSettled(questions.map((question) => question()));
	const errors = answers.filter((answer) => answer.status === "rejected").map((answer) => answer.reason);
	const fatal = errors.find((error) => !error.status || error.status === 401);
	if (fatal)
		throw fatal;
	for (const error of errors)
		alertFailure("A part of this page stays empty", error);
}

/* Until the stream breaks. Returns true where it had brought something. */
async function stream(signal) {
	let some = false;
	try {
		await follow(`v1/events?exchanges=${STREAM_RATE}&since=${recent.next}`, signal, (name, data) => {
			some = true;
			takeEvent(name, data);
		});
	} catch (error) {
		if (error.status === 401)
			throw error;
	}
	return some;
}

async function poll(signal) {
	for (let round = 0; round < POLL_ROUNDS && !signal.aborted; round++) {
		showLink("polling", "live, by asking");
		await pause(POLL_EVERY_MS, signal);
		if (!signal.aborted)
			await loadAll(loadTraffic, loadRecent);
	}
}

async function run(signal) {
	let failures = 0, streamless = 0, wasRefused = Boolean(token.value);

	while (!signal.aborted) {
		try {
			await loadAll(loadStatus, loadTraffic, loadRules, loadRecent);
			refresh(loadVerdict, loadOpen);
			failures = 0;
			if (signal.aborted)
				return;
			streamless = await stream(signal) ? 0 : streamless + 1;
			if (!signal.aborted && streamless >= 2)
				await poll(signal);
			else
				await pause(BACK_OFF_MS[0], signal);
		} catch (error) {
			if (signal.aborted)
				return;
			if (error.status === 401) {
				showLink("offline", "token needed");
				await askForToken(wasRefused);
				wasRefused = true;
				continue;
			}
			const wait = BACK_OFF_MS[Math.min(failures++, BACK_OFF_MS.length - 1)];
			const since = charts.samples.length ? ", shown is " + formatClock(charts.now, true) : "";
			showLink("offline", error.message + since, `asked again in ${formatSeconds(wait / 1000)}`);
			await pause(wait * (0.8 + 0.4 * Math.random()), signal);
		}
	}
}

function start() {
	if (feed.stop || document.hidden)
		return;
	feed.stop = new AbortController();
	run(feed.stop.signal);
}

function halt() {
	feed.stop?.abort();
	feed.stop = null;
}

function restart() {
	halt();
	start();
}

/* Asks again and again while the page can be seen, brownout answers, and the panel (if one is named) is in sight. */
function repeat(every, question, panel) {
	let isAsking = false;
	setInterval(async () => {
		const isLive = ["live", "polling"].includes(byId("link").dataset.state);
		if (isAsking || document.hidden || !isLive || (panel && !feed.inSight.has(panel)))
			return;
		isAsking = true;
		try {
			await question();
		} catch (error) {
			if (error.status === 401)
				restart();
		} finally {
			isAsking = false;
		}
	}, every);
}

function watchSight(...ids) {
	const observer = new IntersectionObserver((entries) => {
		for (const entry of entries)
			feed.inSight[entry.isIntersecting ? "add" : "delete"](entry.target.id);
	}, { rootMargin: "200px" });
	for (const id of ids)
		observer.observe(byId(id));
}

token.takeFromAddress();
makeControl();
makeTiles();
makeCharts();
makeRules();
makeExchanges();
rules.onChange = control.afterChange = () => refresh(loadStatus, loadRules);
watchSight("rules-panel", "open-panel", "verdict-panel");
repeat(RULES_EVERY_MS, loadRules, "rules-panel");
repeat(OPEN_EVERY_MS, loadOpen, "open-panel");
repeat(VERDICT_EVERY_MS, loadVerdict, "verdict-panel");
repeat(STATUS_EVERY_MS, loadStatus);
setInterval(tickUptime, 1000);
document.addEventListener("visibilitychange", () => (document.hidden ? halt() : start()));
start();
