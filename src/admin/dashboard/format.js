"use strict";
/*
 * format: numbers as people read them, always with their unit, never more digits than are known. A value that is not there is
 * a dash.
 */
const NONE = "\u2013";

function isNumber(value) {
	return typeof value === "number" && Number.isFinite(value);
}

/* 12,345 and, from ten million, 12.35 M: what does not fit a tile is no figure any more. */
function formatCount(value) {
	if (!isNumber(value))
		return NONE;
	for (const [from, scale, unit] of [[1e12, 1e12, "T"], [1e10, 1e9, "G"], [1e7, 1e6, "M"]]) {
		if (Math.abs(value) >= from)
			return (value / scale).toFixed(2) + "\u00a0" + unit;
	}
	return Math.round(value).toLocaleString("en");
}

/* Short, for axes: 1.5k. */
function formatShort(value) {
	if (value >= 1e6)
		return +(value / 1e6).toPrecision(3) + "M";
	if (value >= 1e3)
		return +(value / 1e3).toPrecision(3) + "k";
	return String(+value.toPrecision(3));
}

function digits3(value) {
	return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function formatSeconds(seconds) {
	if (!isNumber(seconds))
		return NONE;
	const size = Math.abs(seconds);
	if (size === 0)
		return "0\u00a0s";
	if (size < 0.9995e-3)
		return digits3(seconds * 1e6) + "\u00a0\u00b5s";
	if (size < 0.9995)
		return digits3(seconds * 1e3) + "\u00a0ms";
	if (size < 120)
		return digits3(seconds) + "\u00a0s";
	return formatLong(seconds);
}

/* 1 h 02 min, 3 d 4 h. */
function formatLong(seconds) {
	if (!isNumber(seconds))
		return NONE;
	const s = Math.floor(seconds);
	const pad = (n) => String(n).padStart(2, "0");
	if (s < 60)
		return s + "\u00a0s";
	if (s < 3600)
		return Math.floor(s / 60) + "\u00a0min\u00a0" + pad(s % 60) + "\u00a0s";
	if (s < 86400)
		return Math.floor(s / 3600) + "\u00a0h\u00a0" + pad(Math.floor(s / 60) % 60) + "\u00a0min";
	return Math.floor(s / 86400) + "\u00a0d\u00a0" + Math.floor(s / 3600) % 24 + "\u00a0h";
}

/* part of whole in percent: three significant digits, as few as say it. */
function formatShare(part, whole) {
	if (!isNumber(part) || !isNumber(whole) || whole === 0)
		return NONE;
	const percent = 100 * part / whole;
	if (percent === 0)
		return "0\u00a0%";
	return (percent >= 99.95 && percent < 100 ? "99.9" : percent >= 99.95 ? "100" : percent >= 10 ? percent.toFixed(1)
		: percent >= 0.01 ? percent.toFixed(2) : percent.toPrecision(1)) + "\u00a0%";
}

function formatClock(unixSeconds, withSeconds) {
	return new Date(unixSeconds * 1000).toLocaleTimeString("en-GB",
		{ hour: "2-digit", minute: "2-digit", second: withSeconds ? "2-digit" : undefined });
}

/* The time of a log record (RFC 3339, UTC) on the reader's clock, with milliseconds. */
function formatLogTime(text) {
	const time = new Date(text);
	if (Number.isNaN(time.getTime()))
		return String(text ?? NONE);
	return formatClock(time.getTime() / 1000, true) + "." + String(time.getMilliseconds()).padStart(3, "0");
}
