"use strict";
/*
 * control: the bar: what runs here, the kill switch, reload, reset, colours, shortcuts.
 */
const THEMES = ["system", "light", "dark"];
const SHORTCUTS = [
	["D", "disarm: no fault any more", () => setArmed(false)],
	["A", "arm again", () => setArmed(true)],
	["R", "reload the rule file", () => reloadFile()],
	["/", "filter the recent exchanges", () => byId("filter-text").focus()],
	["f", "faults and failures only, or all", () => byId("filter-faulted").click()],
	["p", "pause the recent exchanges, or go on", () => togglePause()],
	["1", "charts: the last minute", () => setWindow(60)],
	["5", "charts: the last 5 minutes", () => setWindow(300)],
	["0", "charts: the last 10 minutes", () => setWindow(600)],
	["t", "colours: as the system, light, dark", () => nextTheme()],
	["?", "these shortcuts", () => byId("help-dialog").showModal()],
];

const control = { armed: null, facts: {}, startedAt: null, afterChange: () => {} };

/* ---- what runs here ---- */

/* list, id, name, value */
const FACTS = [
	["facts", "version", "version", (status) => status.version],
	["facts", "seed", "seed", (status) => status.seed],
	["facts", "generation", "generation", (status) => status.generation],
	["facts", "up", "up", (status) => formatLong(status.uptime_s)],
	["places", "listens", "listens on", (status) => (status.listeners ?? []).map((one) => one.address).join(", ")],
	["places", "upstreams", "upstream", (status) => (status.upstreams ?? []).map((one) => one.url).join(", ")],
	["places", "file", "rules", (status) => status.file],
];

function makeFacts() {
	for (const [list, id, name] of FACTS) {
		const value = make("dd", { id: "fact-" + id }, NONE);
		control.facts[id] = value;
		byId(list).append(make("div", { hidden: true }, make("dt", {}, name), value));
	}
}

function takeStatus(status) {
	traffic.status = status;
	control.startedAt = performance.now() / 1000 - numberOr0(status.uptime_s);
	for (const [, id, , read] of FACTS) {
		const value = read(status);
		const isKnown = value !== null && value !== undefined && value !== "";
		control.facts[id].parentNode.hidden = !isKnown;
		setText(control.facts[id], isKnown ? value : NONE);
		setAttribute(control.facts[id], "title", isKnown ? value : "");
	}
	byId("reload").disabled = status.file === null;
	showArmed(status.armed);
	showBanner();
	drawRecentSoon(); /* where there is none, it says where to send one */
}

function tickUptime() {
	if (control.startedAt !== null)
		setText(control.facts.up, formatLong(performance.now() / 1000 - control.startedAt));
}

/* help: what changes too often to be read out. */
function showLink(state, words, help) {
	setAttribute(byId("link"), "data-state", state);
	setAttribute(byId("link"), "title", help ?? "");
	setText(byId("link"), words);
}

function showBanner() {
	const words = [];
	if (control.armed === false)
		words.push("Disarmed: no fault is injected, everything is forwarded as it is.");
	if (traffic.status?.draining)
		words.push("Draining: brownout is about to end.");
	byId("banner").hidden = words.length === 0;
	setText(byId("banner"), words.join(" "));
	document.title = (control.armed === false ? "disarmed - " : "") + "brownout";
}

/* ---- the kill switch ---- */

function showArmed(armed) {
	if (typeof armed !== "boolean")
		return;
	const hadFocus = [byId("arm"), byId("disarm")].includes(document.activeElement);
	control.armed = armed;
	setAttribute(byId("armed"), "data-armed", armed);
	setText(byId("armed"), armed ? "armed" : "disarmed");
	byId("disarm").hidden = !armed;
	byId("held-choice").hidden = !armed;
	byId("arm").hidden = armed;
	if (hadFocus)
		byId(armed ? "disarm" : "arm").focus();
	showBanner();
}

async function setArmed(armed) {
	try {
		const answer = armed ? await ask("POST", "v1/arm") : await ask("POST", "v1/disarm", { held: byId("held").value });
		showArmed(answer?.armed ?? armed);
	} catch (error) {
		alertFailure(armed ? "Not armed" : "NOT disarmed", error);
	}
	control.afterChange();
}

/* ---- the rule file ---- */

async function reloadFile() {
	if (byId("reload").disabled)
		return;
	byId("reload").disabled = true;
	try {
		const answer = await ask("POST", "v1/reload");
		const lines = [...(answer?.warnings ?? []), ...(answer?.notes ?? [])];
		addAlert(answer?.warnings?.length ? "warning" : "note", `The rule file was read again: generation ${answer?.generation ?? NONE}`, lines);
	} catch (error) {
		alertFailure("The rule file was not taken over, nothing has changed", error);
	} finally {
		byId("reload").disabled = false;
	}
	control.afterChange();
}

async function resetCounts() {
	byId("reset-dialog").close();
	try {
		await ask("POST", "v1/counters/reset");
		addAlert("note", "The counts of all rules start anew");
	} catch (error) {
		alertFailure("The counts were not reset", error);
	}
	control.afterChange();
}

/* ---- colours ---- */

function showTheme(theme) {
	if (theme === "system")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = theme;
	setText(byId("theme"), "Colours: " + theme);
	remember("localStorage", "theme", theme === "system" ? null : theme);
	control.theme = theme;
}

function nextTheme() {
	showTheme(THEMES[(THEMES.indexOf(control.theme) + 1) % THEMES.length]);
}

/* ---- the token ---- */

function askForToken(wasRefused) {
	const dialog = byId("token-dialog");
	if (wasRefused)
		setText(byId("token-why"), "That token is not the right one.");
	if (!dialog.open)
		dialog.showModal();
	return new Promise((resolve) => {
		byId("token-form").onsubmit = (event) => {
			event.preventDefault();
			token.set(byId("token").value.trim());
			byId("token").value = "";
			dialog.close();
			resolve();
		};
	});
}

/* ---- keys ---- */

function takeKey(event) {
	const isInField = event.target instanceof Element && event.target.closest("input:not([type=checkbox]), select, textarea");
	if (event.key === "Escape") {
		if (isInField)
			event.target.blur();
		else
			dismissAlerts();
		return;
	}
	if (isInField || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]") || !byId("keys-on").checked)
		return;
	const found = SHORTCUTS.find(([key]) => key === event.key);
	if (!found)
		return;
	event.preventDefault();
	found[2]();
}

function makeControl() {
	makeFacts();
	showTheme(THEMES.includes(recall("localStorage", "theme")) ? recall("localStorage", "theme") : "system");
	byId("keys-on").checked = recall("localStorage", "keys") !== "off";
	byId("keys-on").addEventListener("change", () => remember("localStorage", "keys", byId("keys-on").checked ? null : "off"));
	for (const [key, words] of [...SHORTCUTS, ["Esc", "put messages away; leave a field"]])
		byId("keys").append(make("dt", {}, make("kbd", {}, key)), make("dd", {}, words));
	byId("disarm").addEventListener("click", () => setArmed(false));
	byId("arm").addEventListener("click", () => setArmed(true));
	byId("reload").addEventListener("click", reloadFile);
	byId("reset").addEventListener("click", () => byId("reset-dialog").showModal());
	byId("reset-yes").addEventListener("click", resetCounts);
	byId("theme").addEventListener("click", nextTheme);
	byId("help").addEventListener("click", () => byId("help-dialog").showModal());
	for (const button of document.querySelectorAll("[data-close]"))
		button.addEventListener("click", () => button.closest("dialog").close());
	/* Without a token there is nothing to see: the dialog stays. */
	byId("token-dialog").addEventListener("cancel", (event) => event.preventDefault());
	document.addEventListener("keydown", takeKey);
}
