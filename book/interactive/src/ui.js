// What the demos share: elements, labelled controls, the address, light and dark.
import { remark } from "./notes.js";
import { numberWithin, requests } from "./text.js";

/** An element with attributes (functions become listeners) and children. */
export function h(tag, attributes = {}, ...children) {
  const one = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") one.addEventListener(name, value);
    else if (value === true) one.setAttribute(name, "");
    else if (value !== false && value !== undefined) one.setAttribute(name, value);
  }
  one.append(...children);
  return one;
}

/** A control is an element to show, a value to read and set, and a rule for what it accepts. */
export function checkbox(label, value, changed) {
  const input = h("input", { type: "checkbox", change: () => changed() });
  input.checked = value;
  return {
    element: h("label", { class: "demo-check" }, input, h("span", {}, label)),
    get: () => input.checked,
    set: (next) => {
      input.checked = next;
    },
    text: () => (input.checked ? "1" : "0"),
    parse: (text) => ({ 1: true, 0: false })[text],
  };
}

export function choice(label, options, value, changed) {
  const make = ([key, name]) => h("option", { value: key }, name);
  const input = h("select", { change: () => changed() }, ...options.map(make));
  input.value = value;
  return {
    element: h("label", { class: "demo-field" }, h("span", {}, label), input),
    input,
    get: () => input.value,
    set: (next) => {
      input.value = next;
    },
    text: () => input.value,
    parse: (text) => (options.some(([key]) => String(key) === text) ? text : undefined),
  };
}

export function slider(label, [low, high, step], value, changed, digits = 2) {
  const output = h("span", { class: "demo-value" }); // <output> would be read out at each change
  const show = () => {
    output.textContent = Number(input.value).toFixed(digits);
  };
  const input = h("input", {
    type: "range",
    min: low,
    max: high,
    step,
    input: () => {
      show();
      changed();
    },
  });
  input.value = value;
  show();
  return {
    element: h("label", { class: "demo-field" }, h("span", {}, label, " ", output), input),
    input,
    get: () => Number(input.value),
    set: (next) => {
      input.value = next;
      show();
    }, // the browser keeps it between low and high
    text: () => String(Number(input.value)),
    parse: (text) => numberWithin(text, low, high),
  };
}

export function button(label, pressed, attributes = {}) {
  return h(
    "button",
    { type: "button", class: "demo-button", click: pressed, ...attributes },
    label,
  );
}

/** Read controls from the address, and remark on what it asks for and cannot have. */
export function readAddress(section, controls) {
  const text = new URLSearchParams(location.search).get(section.dataset.demo) ?? "";
  const wrong = [];
  for (const { part, name, value } of requests(text)) {
    const control = Object.hasOwn(controls, name) ? controls[name] : null;
    const parsed = control?.parse(value);
    if (parsed === undefined) wrong.push(part.slice(0, 40));
    else control.set(parsed);
  }
  if (!wrong.length) return;
  remark(
    section,
    `The address asks for something this demo does not have (${wrong.join(", ")}). ` +
      "Its usual setting is used instead.",
  );
}

/** The reader has changed something: it goes into the address, so that it can be shared. */
export function writeAddress(section, controls) {
  remark(section, "");
  const all = new URLSearchParams(location.search);
  all.set(
    section.dataset.demo,
    Object.entries(controls)
      .map(([name, one]) => `${name}.${one.text()}`)
      .join("~"),
  );
  try {
    history.replaceState(null, "", `?${all}#${section.id}`);
  } catch {
    // a page opened from a file may not rename itself: nothing is lost but the link
  }
}

/** A region that screen readers follow, and that is not written to more than it has to be. */
export function liveRegion() {
  const element = h("p", { class: "demo-status", role: "status" });
  return {
    element,
    say: (text) => {
      if (element.textContent !== text) element.textContent = text;
    },
  };
}

const FORCED = matchMedia("(forced-colors: active)");

/** A color as the page has it now, of the style sheet's by its name or of a look. */
export function color(ink) {
  const root = document.documentElement;
  if (ink.light)
    return ink[FORCED.matches ? "forced" : root.dataset.theme === "dark" ? "dark" : "light"];
  return getComputedStyle(root).getPropertyValue(`--demo-${ink}`).trim();
}

/** Take a pen of an ink, dashes in widths, and a width. */
export function take(context, { ink, dash, width = 2 }) {
  context.strokeStyle = color(ink);
  context.lineWidth = width;
  context.setLineDash(dash.map((part) => part * width));
}

/** Draw a line through points, with a pen. */
export function line(context, points, pen) {
  context.beginPath();
  points.forEach((point, i) => {
    context[i ? "lineTo" : "moveTo"](...point);
  });
  take(context, pen);
  context.stroke();
}

/** Call `move` with the place across a picture that is dragged over or clicked, and its width. */
export function draggable(element, move) {
  const point = (event) => {
    if (!event.isPrimary || (event.type === "pointermove" && !event.buttons)) return;
    const box = element.getBoundingClientRect();
    move(event.clientX - box.left, box.width);
  };
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    if (event.pointerType !== "touch") point(event); // a finger may yet mean to scroll
  });
  element.addEventListener("pointermove", point);
  element.addEventListener("click", point);
}

/** Call again whenever the reader switches between light, dark and colors of their own. */
export function onTheme(redraw) {
  FORCED.addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, {
    attributes: true,
    attributeFilter: ["data-theme"],
  });
}

/** A canvas as sharp as the screen; `draw` gets its context and size in CSS pixels. */
export function canvas(attributes, draw) {
  const element = h("canvas", attributes);
  const redraw = () => {
    const { width, height } = element.getBoundingClientRect();
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    [element.width, element.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = element.getContext("2d");
    context.scale(ratio, ratio);
    draw(context, width, height);
  };
  new ResizeObserver(redraw).observe(element);
  onTheme(redraw);
  return { element, redraw };
}

/** A piece of a line as the picture draws it, for a legend. */
export function swatch(pen) {
  return canvas({ class: "demo-swatch", "aria-hidden": "true" }, (context, width, height) => {
    context.clearRect(0, 0, width, height);
    context.beginPath();
    context.moveTo(0, height / 2);
    context.lineTo(width, height / 2);
    take(context, pen);
    context.stroke();
  });
}

/** A line of a legend: how it is drawn, and what it is. */
export const entry = (pen, text) => h("span", { class: "demo-entry" }, swatch(pen).element, text);

/** Put a demo into its place; its picture stays for print, and so does what was noted there. */
export function fill(section, body) {
  for (const note of section.querySelectorAll(".demo-note")) {
    body.querySelector(".demo-status").before(note);
  }
  section.replaceChildren(section.querySelector(".demo-still"), body);
  section.dataset.ready = "";
}

export { brief } from "./text.js";
