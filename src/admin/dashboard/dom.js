"use strict";
/*
 * dom: the few ways in which the page is changed. What comes from outside becomes text nodes or attribute values of fixed names;
 * nothing here or elsewhere makes markup of it (the policy of the page refuses that too).
 */
const SVG = "http://www.w3.org/2000/svg";

function byId(id) {
	return document.getElementById(id);
}

function setAttributes(node, attributes) {
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith("on"))
			node.addEventListener(name.slice(2), value);
		else if (value === true)
			node.setAttribute(name, "");
		else if (value !== false && value !== undefined && value !== null)
			node.setAttribute(name, value);
	}
	return node;
}

/* Children are nodes, or values that become text. */
function make(tag, attributes, ...children) {
	const node = setAttributes(document.createElement(tag), attributes || {});
	node.append(...children.map((child) => (child instanceof Node ? child : String(child))));
	return node;
}

function makeSvg(tag, attributes, ...children) {
	const node = setAttributes(document.createElementNS(SVG, tag), attributes || {});
	node.append(...children);
	return node;
}

/* Touches the page only where something changes: most values stay the same from one second to the next. */
function setText(node, value) {
	const text = String(value);
	if (node.textContent !== text)
		node.textContent = text;
}

function setAttribute(node, name, value) {
	const text = String(value);
	if (node.getAttribute(name) !== text)
		node.setAttribute(name, text);
}

/* A cell of a table that turns into cards on a phone: there its label stands before it, and an empty one is left out. */
function makeCell(label, className, ...children) {
	const isEmpty = children.length > 0 && children.every((child) => child === "" || child === null || child === undefined);
	const classes = [className, isEmpty && "none"].filter(Boolean).join(" ");
	return make("td", { role: "cell", "data-label": label || undefined, class: classes || undefined }, ...(isEmpty ? [] : children));
}

function makeHead(columns) {
	const row = make("tr", { role: "row" });
	for (const column of columns) {
		const className = [column.number && "number", column.less && "less"].filter(Boolean).join(" ");
		row.append(make("th", { scope: "col", role: "columnheader", class: className || undefined, title: column.help }, column.name));
	}
	return make("thead", { role: "rowgroup" }, row);
}

/* What was stored by an earlier visit; a browser may refuse it. */
function recall(storage, name) {
	try {
		return window[storage].getItem("brownout." + name);
	} catch {
		return null;
	}
}

function remember(storage, name, value) {
	try {
		if (value === null)
			window[storage].removeItem("brownout." + name);
		else
			window[storage].setItem("brownout." + name, value);
	} catch {
		/* then it holds for this visit */
	}
}
