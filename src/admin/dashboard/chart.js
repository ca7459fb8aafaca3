"use strict";
/*
 * chart: values of each second over the last minutes, as stacked areas or as lines, in SVG of our own. All charts share one span of
 * time and one cursor: the pointer moves it, and so do the arrow keys where a chart has the focus; the legend then says
 * what the second under the cursor had. A sample of time t stands for the second before t; where samples are missing nothing is drawn.
 */
const CHART_HEIGHT = 150;
const CHART_EDGE = { left: 42, right: 6, top: 8, bottom: 18 };
const CHART_GAP_S = 2.5; /* seconds without a sample that are shown as such */
const CHART_TICKS = { 60: 15, 300: 60, 600: 120 };

const charts = {
	all: [],
	samples: [],
	window_s: 300,
	now: Date.now() / 1000, /* unix seconds at the right edge: of the newest sample, by the clock of brownout */
	cursor: null, /* time of a sample, or null: the newest */

	draw() {
		for (const chart of this.all)
			chart.draw();
	},

	setCursor(time) {
		if (this.cursor === time)
			return;
		this.cursor = time;
		for (const chart of this.all)
			chart.drawCursor();
	},

	/* Those in sight. */
	shown() {
		const from = this.now - this.window_s;
		return this.samples.filter((sample) => sample.time > from);
	},

	nearest(time) {
		let best = null;
		for (const sample of this.shown()) {
			if (best === null || Math.abs(sample.time - 0.5 - time) < Math.abs(best.time - 0.5 - time))
				best = sample;
		}
		return best;
	},
};

/* The next of a few times a power of ten, of which the half is a round number too. */
function niceMax(value, least) {
	const wanted = Math.max(value, least);
	const power = 10 ** Math.floor(Math.log10(wanted));
	return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= wanted * 0.999999);
}

/* Runs of samples without a hole, of those for which has(sample). */
function splitRuns(samples, has) {
	const runs = [];
	let last = null;
	for (const sample of samples) {
		if (!has(sample)) {
			last = null;
			continue;
		}
		if (last === null || sample.time - last > CHART_GAP_S)
			runs.push([]);
		runs[runs.length - 1].push(sample);
		last = sample.time;
	}
	return runs;
}

class Chart {
	/*
	 * series: [{name, look, value(sample)}], from the bottom to the top where they are stacked. value gives null where there is
	 * none. least: the axis goes to this at least. empty: words where no sample has a value above 0.
	 */
	constructor(panel, { title, stacked, series, format, axis, least, empty }) {
		Object.assign(this, { stacked, series, format, axis, least, empty });
		const titleId = panel.id + "-title";
		this.svg = makeSvg("svg", {
			tabindex: "0", role: "slider", "aria-labelledby": titleId, "aria-orientation": "horizontal", "aria-valuemax": "0",
		});
		this.layers = ["grid", "marks", "over"].map(() => makeSvg("g"));
		this.svg.append(...this.layers);
		this.legend = make("ul", { class: "legend" });
		this.when = make("time");
		for (const one of series) {
			one.figure = make("b");
			one.item = make("li", {}, this.makeSwatch(one), one.name, one.figure);
			this.legend.append(one.item);
		}
		panel.append(make("header", {}, make("h2", { id: titleId }, title), this.when), make("div", { class: "chart" }, this.svg, this.legend));
		this.svg.addEventListener("pointermove", (event) => this.point(event));
		this.svg.addEventListener("pointerdown", (event) => this.point(event));
		this.svg.addEventListener("pointerleave", () => charts.setCursor(null));
		this.svg.addEventListener("blur", () => charts.setCursor(null));
		this.svg.addEventListener("keydown", (event) => this.step(event));
		new ResizeObserver(() => this.draw()).observe(this.svg);
		charts.all.push(this);
	}

	makeSwatch(one) {
		const mark = this.stacked ? makeSvg("rect", { class: one.look, width: 14, height: 10 })
			: makeSvg("path", { class: "stroke " + one.look, d: "M0 5H14" });
		return makeSvg("svg", { "aria-hidden": "true" }, mark);
	}

	x(time) {
		const inner = this.width - CHART_EDGE.left - CHART_EDGE.right;
		const part = 1 - (charts.now - time) / charts.window_s;
		return +(CHART_EDGE.left + inner * Math.min(Math.max(part, 0), 1)).toFixed(1);
	}

	y(value) {
		const inner = CHART_HEIGHT - CHART_EDGE.top - CHART_EDGE.bottom;
		return +(CHART_HEIGHT - CHART_EDGE.bottom - inner * value / this.max).toFixed(1);
	}

	/* ---- what it says ---- */

	draw() {
		this.width = this.svg.clientWidth;
		if (!this.width)
			return;
		const shown = charts.shown();
		let top = 0;
		for (const sample of shown) {
			const values = this.series.map((one) => one.value(sample) || 0);
			top = Math.max(top, this.stacked ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values));
		}
		this.max = niceMax(top, this.least);
		this.drawGrid(top > 0);
		this.layers[1].replaceChildren(...(this.stacked ? this.makeAreas(shown) : this.makeLines(shown)));
		this.drawCursor();
	}

	drawGrid(some) {
		const grid = [];
		const right = this.width - CHART_EDGE.right;
		for (const part of [0, 0.5, 1]) {
			const y = this.y(this.max * part);
			grid.push(makeSvg("path", { class: "grid", d: `M${CHART_EDGE.left} ${y}H${right}` }),
				makeSvg("text", { class: "axis", x: CHART_EDGE.left - 5, y: y + 4, "text-anchor": "end" },
					this.axis(this.max * part)));
		}
		const every = CHART_TICKS[charts.window_s];
		for (let time = Math.floor(charts.now / every) * every; time > charts.now - charts.window_s; time -= every) {
			const x = this.x(time);
			if (x < CHART_EDGE.left + 20 || x > right - 16)
				continue;
			grid.push(makeSvg("path", { class: "grid", d: `M${x} ${CHART_HEIGHT - CHART_EDGE.bottom}v4` }),
				makeSvg("text", { class: "axis", x, y: CHART_HEIGHT - 3, "text-anchor": "middle" },
					formatClock(time, every < 60)));
		}
		if (!some) {
			grid.push(makeSvg("text", {
				class: "axis", x: (CHART_EDGE.left + right) / 2, y: (this.y(this.max) + this.y(this.max / 2)) / 2 + 4, "text-anchor": "middle",
			}, this.empty));
		}
		this.layers[0].replaceChildren(...grid);
	}

	makeAreas(shown) {
		const floor = new Map(shown.map((sample) => [sample, 0]));
		const areas = [];
		for (const one of this.series) {
			let d = "";
			for (const run of splitRuns(shown, () => true)) {
				let over = "", under = "";
				for (const sample of run) {
					const from = this.x(sample.time - 1), to = this.x(sample.time);
					const low = floor.get(sample), high = low + (one.value(sample) || 0);
					over += `L${from} ${this.y(high)}H${to}`;
					under = `L${to} ${this.y(low)}H${from}` + under;
					floor.set(sample, high);
				}
				d += "M" + over.slice(1) + under + "Z";
			}
			areas.push(makeSvg("path", { class: "area " + one.look, d }));
		}
		return areas;
	}

	makeLines(shown) {
		return this.series.map((one) => {
			let d = "";
			for (const run of splitRuns(shown, (sample) => one.value(sample) !== null)) {
				const steps = run.map((sample) => `L${this.x(sample.time - 1)} ${this.y(one.value(sample))}H${this.x(sample.time)}`);
				d += "M" + steps.join("").slice(1);
			}
			return makeSvg("path", { class: "stroke " + one.look, d });
		});
	}

	/* ---- the cursor ---- */

	point(event) {
		const box = this.svg.getBoundingClientRect();
		const inner = this.width - CHART_EDGE.left - CHART_EDGE.right;
		const part = (event.clientX - box.left - CHART_EDGE.left) / inner;
		charts.setCursor(charts.nearest(charts.now - charts.window_s * (1 - part))?.time ?? null);
	}

	step(event) {
		const shown = charts.shown();
		const at = charts.cursor === null ? shown.length - 1 : shown.findIndex((sample) => sample.time === charts.cursor);
		const to = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 10, PageDown: at + 10, Home: 0, End: shown.length - 1 }[event.key];
		if (event.key === "Escape")
			charts.setCursor(null);
		if (to === undefined || !shown.length)
			return;
		event.preventDefault();
		charts.setCursor(shown[Math.min(Math.max(to, 0), shown.length - 1)].time);
	}

	drawCursor() {
		const shown = charts.shown();
		const under = charts.cursor === null ? undefined : shown.find((sample) => sample.time === charts.cursor);
		const sample = under ?? shown[shown.length - 1];
		if (under && this.width) {
			const x = this.x(under.time - 0.5);
			this.layers[2].replaceChildren(makeSvg("path", {
				class: "cursor", d: `M${x} ${CHART_EDGE.top}V${CHART_HEIGHT - CHART_EDGE.bottom}`,
			}));
		} else {
			this.layers[2].replaceChildren();
		}
		setText(this.when, under ? formatClock(under.time, true) : "now");
		for (const one of this.series) {
			const value = sample ? one.value(sample) : null;
			setText(one.figure, value === null ? NONE : this.format(value));
			one.item.hidden = Boolean(one.rare) && !shown.some((other) => one.value(other));
		}
		this.describe(under, sample);
	}

	/* For who hears it: the values under the cursor. Without one nothing changes while the chart has the focus. */
	describe(under, sample) {
		if (!under && document.activeElement === this.svg)
			return;
		const figures = this.series.filter((one) => !one.item.hidden).map((one) => `${one.name} ${one.figure.textContent}`);
		setAttribute(this.svg, "aria-valuemin", -charts.window_s);
		setAttribute(this.svg, "aria-valuenow", sample ? Math.round(sample.time - charts.now) : 0);
		setAttribute(this.svg, "aria-valuetext", `${this.when.textContent}: ${figures.join(", ")}`);
	}
}
