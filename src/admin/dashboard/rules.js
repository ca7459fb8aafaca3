"use strict";
/*
 * rules: the rules in force, in their order, with what each has done; switching, changing the percentage, editing the text. One
 * row stays one row while its rule exists, so that a refresh takes neither focus nor a half-typed number away.
 */
const RULE_COLUMNS = [
	{ name: "On", help: "whether the rule decides at all" },
	{ name: "Rule" },
	{ name: "Faults" },
	{ name: "Percentage", number: true, help: "of the matching requests" },
	{ name: "Matched", number: true, help: "requests that met all conditions" },
	{ name: "Fired", number: true, help: "of these, faults that acted" },
	{ name: "Share", number: true, help: "fired of matched" },
	{ name: "Now", number: true, help: "fired in the last second" },
	{ name: "Dry", number: true, help: "would have fired: the rule has dry_run" },
	{ name: "Refused", number: true, help: "did not fire because a ceiling was reached" },
	{ name: "Active", number: true, help: "faults that act at this moment" },
];
const RULE_COUNTS = [["Matched", "matched"], ["Fired", "fired"], ["Share", ""], ["Now", ""], ["Dry", "dry"],
	["Refused", "refused"], ["Active", "active"]];

const rules = {
	rows: new Map(), /* name -> row */
	list: [],
	generation: null,
	changes: 0, /* answers asked for before a change say what was before it */
	onChange: () => {},

	path(name) {
		return "v1/rules/" + encodeURIComponent(name);
	},
};

/* ---- one row ---- */

function makeRuleRow(name) {
	const row = { name, cells: {}, rate: null, seen: null };

	row.enabled = make("input", { type: "checkbox", class: "switch", role: "switch", "aria-label": `Rule ${name} decides`,
		onchange: () => changeRule(row, { enabled: row.enabled.checked }) });
	row.open = make("button", { type: "button", class: "plain open name", "aria-expanded": "false", title: "The rule's text",
		onclick: () => toggleRuleText(row) }, name);
	row.tags = make("span");
	row.faults = makeCell("", "tight");
	row.percentage = make("input", { class: "field", inputmode: "decimal", autocomplete: "off", "aria-label": `Percentage of rule ${name}`,
		onkeydown: (event) => typeInPercentage(row, event), onchange: () => sendPercentage(row) });
	row.noPercentage = make("span", { class: "quiet", title: "outcomes or a sequence decide by themselves" }, NONE);
	row.percent = make("span", { class: "percentage" }, row.percentage, "%");
	row.node = make("tr", { role: "row" }, makeCell("", "", row.enabled), makeCell("", "first", row.open, " ", row.tags), row.faults,
		makeCell("Percentage", "number", row.percent, row.noPercentage));
	for (const [label] of RULE_COUNTS) {
		row.cells[label] = makeCell(label, "number");
		row.node.append(row.cells[label]);
	}
	return row;
}

function showRuleRow(row, rule, now) {
	const before = row.seen;
	if (before && now > before.time)
		row.rate = rule.fired >= before.fired ? (rule.fired - before.fired) / (now - before.time) : null;
	if (!before || now > before.time)
		row.seen = { time: now, fired: rule.fired };
	row.rule = rule;
	row.node.classList.toggle("off", !rule.enabled);
	row.enabled.checked = Boolean(rule.enabled);
	showRuleTags(row, rule);
	row.percent.hidden = !isNumber(rule.percentage);
	row.noPercentage.hidden = isNumber(rule.percentage);
	if (!row.isTyping && isNumber(rule.percentage) && row.percentage.value !== String(rule.percentage))
		row.percentage.value = String(rule.percentage);
	for (const [label, key] of RULE_COUNTS) {
		if (key)
			showCount(row.cells[label], formatCount(rule[key]), !rule[key]);
	}
	showCount(row.cells.Share, formatShare(rule.fired, rule.matched), !rule.fired);
	showCount(row.cells.Now, row.rate === null ? NONE : formatRate(row.rate), !row.rate);
}

function showCount(cell, text, isZero) {
	setText(cell, text);
	cell.classList.toggle("zero", isZero);
}

function showRuleTags(row, rule) {
	const tags = [];
	if (rule.dry_run)
		tags.push(["dry run", "tag dry"]);
	if (rule.phase === "response")
		tags.push(["response", "tag"]);
	const faults = Array.isArray(rule.faults) ? rule.faults : [];
	const key = JSON.stringify([tags, faults]);
	if (row.tagKey === key)
		return;
	row.tagKey = key;
	row.tags.replaceChildren(...tags.map(([text, className]) => make("span", { class: className }, text)));
	row.faults.replaceChildren(...faults.flatMap((fault) => [make("span", { class: "tag fault" }, fault), " "]));
}

/* ---- changes ---- */

async function changeRule(row, patch) {
	const focused = document.activeElement;
	row.enabled.disabled = row.percentage.disabled = true;
	try {
		const rule = await ask("PATCH", rules.path(row.name), patch);
		rules.changes++;
		showRuleRow(row, rule, 0);
		refreshRuleText(row);
	} catch (error) {
		alertFailure(`Rule ${row.name} could not be changed`, error);
		showRuleRow(row, row.rule, 0);
	} finally {
		row.enabled.disabled = row.percentage.disabled = false;
		if (row.node.contains(focused) && document.activeElement === document.body)
			focused.focus();
		rules.onChange();
	}
}

function typeInPercentage(row, event) {
	row.isTyping = true;
	if (event.key !== "Escape")
		return;
	row.percentage.value = String(row.rule.percentage);
	row.isTyping = false;
	row.percentage.removeAttribute("aria-invalid");
	event.stopPropagation();
}

async function sendPercentage(row) {
	const text = row.percentage.value.trim().replace(/\s*%$/, "").replace(",", ".");
	const isGood = /^(\d+(\.\d{0,6})?|\.\d{1,6})$/.test(text) && Number(text) <= 100;
	if (isGood && Number(text) === row.rule.percentage) {
		row.isTyping = false;
		row.percentage.value = String(row.rule.percentage);
		row.percentage.removeAttribute("aria-invalid");
		return;
	}
	if (!isGood) {
		row.percentage.setAttribute("aria-invalid", "true");
		row.percentage.title = "0 to 100, with at most 6 decimals";
		return;
	}
	row.percentage.removeAttribute("aria-invalid");
	row.percentage.removeAttribute("title");
	row.isTyping = false;
	await changeRule(row, { percentage: Number(text) });
}

/* ---- its text ---- */

function toggleRuleText(row) {
	if (row.text) {
		row.text.remove();
		row.text = null;
		setAttribute(row.open, "aria-expanded", false);
		return;
	}
	row.textCell = make("td", { role: "cell", colspan: RULE_COLUMNS.length }, make("p", { class: "quiet" }, "..."));
	row.text = make("tr", { class: "more", role: "row" }, row.textCell);
	row.node.after(row.text);
	setAttribute(row.open, "aria-expanded", true);
	showRuleText(row);
}

async function showRuleText(row) {
	try {
		const rule = await ask("GET", rules.path(row.name));
		const dry = make("input", { type: "checkbox", onchange: () => changeRule(row, { dry_run: dry.checked }) });
		dry.checked = Boolean(rule.dry_run);
		row.textCell.replaceChildren(make("pre", { tabindex: "0", role: "region", "aria-label": `Text of rule ${row.name}` }, rule.text ?? ""), make("div", { class: "row" },
			make("button", { type: "button", onclick: () => editRule(row, rule.text ?? "") }, "Edit"),
			make("label", { class: "check" }, dry, "dry run: decide and count, do not act")));
	} catch (error) {
		row.textCell.replaceChildren(make("p", { class: "mistakes" }, error.message));
	}
}

/* What is being edited stays. */
function refreshRuleText(row) {
	if (row.text && !row.textCell.querySelector("textarea"))
		showRuleText(row);
}

function editRule(row, text) {
	const area = make("textarea", { spellcheck: "false", "aria-label": `Text of rule ${row.name}`, rows: Math.min(text.split("\n").length + 2, 24) });
	const mistakes = make("p", { class: "mistakes", role: "alert" });
	const cancel = () => showRuleText(row).then(() => row.textCell.querySelector("button")?.focus());
	const save = async () => {
		try {
			await ask("PUT", rules.path(row.name), area.value, "application/yaml");
			rules.changes++;
			await cancel();
			rules.onChange();
		} catch (error) {
			mistakes.textContent = [error.message, ...error.details.map(formatDetail)].join("\n");
			if (isNumber(error.details[0]?.line))
				selectPlace(area, error.details[0]);
		}
	};
	area.value = text;
	area.addEventListener("keydown", (event) => {
		if (event.key === "Escape")
			cancel();
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey))
			save();
		event.stopPropagation();
	});
	row.textCell.replaceChildren(make("div", { class: "editor" }, area, mistakes, make("div", { class: "row" },
		make("button", { type: "button", class: "main", onclick: save }, "Put in force"),
		make("button", { type: "button", onclick: cancel }, "Cancel"),
		make("span", { class: "quiet" }, "Ctrl+Enter puts it in force. The file on disk stays as it is."))));
	area.focus();
}

/* Puts the caret where the mistake is. */
function selectPlace(area, { line, column }) {
	const lines = area.value.split("\n");
	const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
	const at = Math.min(before + Math.max((column ?? 1) - 1, 0), area.value.length);
	area.focus();
	area.setSelectionRange(at, at);
}

/* ---- all ---- */

function takeRules(answer) {
	if (!Array.isArray(answer?.rules))
		return;
	const now = performance.now() / 1000;
	const names = answer.rules.map((rule) => String(rule.name));
	const isSame = names.length === rules.list.length && names.every((name, i) => name === rules.list[i].name);

	rules.list = answer.rules.map((rule) => ({ ...rule, name: String(rule.name) }));
	if (!isSame)
		arrangeRules(names);
	for (const rule of rules.list)
		showRuleRow(rules.rows.get(rule.name), rule, now);
	if (rules.generation !== answer.generation)
		rules.rows.forEach(refreshRuleText);
	rules.generation = answer.generation;
	filterRules();
	byId("rules-empty").hidden = names.length > 0;
	byId("rules").hidden = names.length === 0;
}

/* Rows in the order of the rules. Those that stay are moved, not made anew. */
function arrangeRules(names) {
	const kept = new Map();
	for (const name of names)
		kept.set(name, rules.rows.get(name) ?? makeRuleRow(name));
	rules.rows = kept;
	const wanted = [...kept.values()].flatMap((row) => (row.text ? [row.node, row.text] : [row.node]));
	const have = [...rules.body.children];
	if (wanted.length !== have.length || wanted.some((node, i) => node !== have[i]))
		rules.body.replaceChildren(...wanted);
	showRuleChoices(names);
}

/* The rules to filter the recent exchanges by. */
function showRuleChoices(names) {
	const select = byId("filter-rule");
	const chosen = select.value;
	select.replaceChildren(make("option", { value: "" }, "any rule"), ...names.map((name) => make("option", { value: name }, name)));
	select.value = names.includes(chosen) ? chosen : "";
	if (select.value !== chosen)
		select.dispatchEvent(new Event("change"));
}

function filterRules() {
	const wanted = byId("rules-filter").value.trim().toLowerCase();
	let shown = 0;
	for (const row of rules.rows.values()) {
		const text = [row.name, ...(row.rule?.faults ?? [])].join(" ").toLowerCase();
		row.node.hidden = !text.includes(wanted);
		if (row.text)
			row.text.hidden = row.node.hidden;
		shown += !row.node.hidden;
	}
	const all = rules.rows.size;
	const on = rules.list.filter((rule) => rule.enabled).length;
	setText(byId("rules-count"), shown < all ? `${shown} of ${all} shown` : all ? `${all}, ${on} on` : "");
}

function makeRules() {
	rules.body = make("tbody", { role: "rowgroup" });
	byId("rules").append(makeHead(RULE_COLUMNS), rules.body);
	byId("rules-empty").append("No rules are in force: everything is forwarded as it is. Put some under ",
		make("code", {}, "rules:"), " in the rule file and reload, or start with ", make("code", {}, "--abort 503 --percentage 10"), ".");
	byId("rules-filter").addEventListener("input", filterRules);
}
