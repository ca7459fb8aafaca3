"use strict";
/*
 * alerts: what went wrong, and what a reload has to say, until the reader puts it away. The same words again are counted, not
 * repeated; the oldest make room.
 */
const ALERTS_MAX = 4;
const alerts = [];

function formatDetail(detail) {
	const place = [detail?.line, detail?.column].filter(isNumber).join(":");
	const message = typeof detail === "string" ? detail : String(detail?.message ?? "");
	const level = detail?.level && detail.level !== "error" ? detail.level + ": " : "";
	return (place ? place + ": " : "") + level + message;
}

function dismissAlert(alert) {
	alerts.splice(alerts.indexOf(alert), 1);
	alert.node.remove();
}

/* kind: error, warning or note. lines: strings, or {line, column, message}. */
function addAlert(kind, message, lines) {
	const details = (lines || []).map(formatDetail).filter(Boolean).join("\n");
	const known = alerts.find((other) => other.message === message && other.details === details);
	if (known) {
		known.times++;
		setText(known.counter, ` (${known.times} times)`);
		return;
	}
	const alert = { message, details, times: 1, counter: make("span", { class: "quiet" }) };
	const words = make("div", { class: "words" }, make("b", {}, message), alert.counter);
	if (details)
		words.append(make("pre", {}, details));
	alert.node = make("div", { "data-kind": kind }, words,
		make("button", { type: "button", class: "plain", "aria-label": "Dismiss: " + message, onclick: () => dismissAlert(alert) },
			"Dismiss"));
	alerts.push(alert);
	byId("alerts").append(alert.node);
	while (alerts.length > ALERTS_MAX)
		dismissAlert(alerts[0]);
}

function dismissAlerts() {
	while (alerts.length)
		dismissAlert(alerts[0]);
}

/* what: "The rule could not be changed" */
function alertFailure(what, error) {
	if (error.status === 401)
		return; /* the token is being asked for */
	addAlert("error", `${what}: ${error.message}`, error.details);
}
