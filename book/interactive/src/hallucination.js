// The hallucination pad: draw half a digit, and the model draws the other half.
import code from "worker:hallucination-worker";
import { latest, startWorker } from "./host.js";
import {
  button, canvas, choice, color, fill, h, liveRegion, readAddress, slider, writeAddress,
} from "./ui.js";
import { fail, remark } from "./notes.js";
import { arrival, bytes } from "./weights.js";

const NAME = "hallucination";
const ROWS = 28, COLUMNS = 14, PIXELS = ROWS * COLUMNS;
const TITLES = {
  encoder: "from the encoder", forward: "through the forward predictor",
  backward: "through the backward predictor",
};
const other = { left: "right", right: "left" };

const stamp = Object.assign(document.createElement("canvas"), { width: 2 * COLUMNS, height: ROWS });

/** Paint halves, each 28 x 14 in 0..1, side by side as one picture; returns a pixel's size. */
function paint(context, width, height, left, right) {
  const image = new ImageData(2 * COLUMNS, ROWS);
  image.data.fill(255);
  [left, right].forEach((half, side) => {
    for (let i = 0; i < PIXELS; i += 1) {
      const place = Math.floor(i / COLUMNS) * 2 * COLUMNS + side * COLUMNS + (i % COLUMNS);
      image.data.fill(half ? Math.round(255 * half[i]) : 0, 4 * place, 4 * place + 3);
    }
  });
  stamp.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(stamp, 0, 0, width, height);
  return width / (2 * COLUMNS);
}

function build(section) {
  const live = liveRegion();
  let pixels = new Float32Array(PIXELS), truth = null, label = null;
  let answer = {}, images = null, worker = null, loaded = false;
  let cursor = [7, 5], pen = null, before = null, usedKeys = false, took = 0;

  const choose = () => { writeAddress(section, controls); pick(); };
  const given = choice("you draw", [["left", "the left half"], ["right", "the right half"]], "left",
    choose);
  const digit = choice("take a digit", [["none", "none: draw one"], ["any", "any"],
    ...Array.from({ length: 10 }, (_, i) => [String(i), String(i)])], "3", () => { index.set(0); choose(); });
  const index = slider("which one", [0, 19, 1], 0, choose, 0);
  const pressure = choice("pen", [["ink", "draws"], ["rub", "rubs out"]], "ink", () => {});
  const controls = { given, digit, index };

  const pad = canvas({
    class: "demo-pad", tabindex: "0", role: "application",
    "aria-label": "The half you draw. Arrow keys move the pen, space sets a point, Delete rubs out, " +
      "Escape clears.",
  }, (context, width, height) => {
    const halves = given.get() === "left" ? [pixels, null] : [null, pixels];
    const size = paint(context, width, height, ...halves);
    const edge = given.get() === "left" ? COLUMNS : 0;
    context.fillStyle = color("veil");
    context.fillRect(edge * size, 0, COLUMNS * size, height);
    if (usedKeys && document.activeElement === pad.element) {
      context.strokeStyle = "#ffb000";
      context.lineWidth = 2;
      const column = cursor[0] + (given.get() === "left" ? 0 : COLUMNS);
      context.strokeRect(column * size, cursor[1] * size, size, size);
    }
  });
  const outcomes = {};
  for (const [way, title] of Object.entries(TITLES)) {
    const side = way === "backward" ? "left" : "right";
    const picture = canvas({ class: "demo-picture", role: "img", "aria-label": title }, (c, w, hgt) => {
      const drawn = answer[way]?.drawn;
      paint(c, w, hgt, ...(side === "right" ? [pixels, drawn] : [drawn, pixels]));
    });
    const bars = Array.from({ length: 10 }, (_, i) => {
      const fill = h("span", { class: "demo-bar" }), text = h("span", { class: "demo-share" });
      return { row: h("li", {}, h("span", {}, String(i)), h("span", { class: "demo-track" }, fill), text), fill, text };
    });
    const near = Array.from({ length: 5 }, (_, k) => {
      const caption = h("figcaption", {});
      const one = canvas({ class: "demo-near", role: "img", "aria-label": "a similar training image" },
        (c, w, hgt) => {
          const row = answer[way]?.nearest[k];
          paint(c, w, hgt, ...(row === undefined || !images ? [] : ["left", "right"].map((half) => train(half, row))));
        });
      return { ...one, caption, figure: h("figure", {}, one.element, caption) };
    });
    const similar = h("div", {}, h("p", { class: "demo-title" }, "Most similar training images"),
      h("div", { class: "demo-nears" }, ...near.map((one) => one.figure)));
    outcomes[way] = {
      side, picture, bars, near,
      similar,
      element: h("div", { class: "demo-way" },
        h("p", { class: "demo-title" }, `The ${side} half ${title}`), picture.element,
        h("ul", { class: "demo-bars", "aria-label": `probability of each digit, ${title}` },
          ...bars.map((one) => one.row)),
        similar),
    };
  }
  const real = canvas({ class: "demo-picture", role: "img", "aria-label": "the true digit" }, (c, w, hgt) => {
    paint(c, w, hgt, ...(truth ?? []));
  });
  const realBox = h("div", { class: "demo-real" },
    h("p", { class: "demo-title" }, "The true digit"), real.element);

  const train = (half, row) =>
    Float32Array.from(images.train[half].subarray(row * PIXELS, (row + 1) * PIXELS), (v) => v / 255);

  /** Take an image, or an empty pad. */
  function pick() {
    const side = given.get();
    [truth, label] = [null, null];
    pixels = new Float32Array(PIXELS);
    if (images && digit.get() !== "none") {
      const rows = [...images.test.labels.keys()].filter((row) =>
        digit.get() === "any" || images.test.labels[row] === Number(digit.get()));
      const row = rows[index.get() % rows.length];
      truth = ["left", "right"].map((half) => Float32Array.from(
        images.test[half].subarray(row * PIXELS, (row + 1) * PIXELS), (v) => v / 255));
      label = images.test.labels[row];
      pixels = truth[side === "left" ? 0 : 1].slice();
    }
    for (const one of Object.values(outcomes)) one.element.hidden = one.side === side;
    realBox.hidden = !truth;
    real.redraw();
    request();
  }
  /** Put ink (or take it away) around a point in pixels of the half. */
  function touch(x, y, last) {
    remark(section, "");
    const [lx, ly] = last ?? [x, y];
    const rub = pressure.get() === "rub" || touch.rub;
    for (let row = 0; row < ROWS; row += 1) {
      for (let column = 0; column < COLUMNS; column += 1) {
        const gap = distance(column + 0.5, row + 0.5, lx, ly, x, y);
        const ink = Math.min(Math.max(1.7 - gap, 0), 1);
        const i = row * COLUMNS + column;
        pixels[i] = rub ? Math.min(pixels[i], 1 - ink) : Math.max(pixels[i], ink);
      }
    }
    request();
  }
  const place = (event) => {
    const box = pad.element.getBoundingClientRect();
    const shift = given.get() === "left" ? 0 : COLUMNS;
    return [((event.clientX - box.left) / box.width) * 2 * COLUMNS - shift,
      ((event.clientY - box.top) / box.height) * ROWS];
  };
  pad.element.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary) return; // two fingers magnify the page
    pad.element.setPointerCapture(event.pointerId);
    [pen, before] = [place(event), pixels.slice()];
    usedKeys = false;
    touch(...pen);
  });
  pad.element.addEventListener("pointermove", (event) => {
    if (!pen || !event.isPrimary) return;
    const next = place(event);
    touch(...next, pen);
    pen = next;
  });
  pad.element.addEventListener("pointerup", () => { pen = null; tell(); });
  pad.element.addEventListener("pointercancel", () => { // it was no stroke
    if (pen) pixels.set(before);
    pen = null;
    request();
  });
  pad.element.addEventListener("blur", () => pad.redraw());
  pad.element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (move) {
      cursor = [Math.min(Math.max(cursor[0] + move[0], 0), COLUMNS - 1),
        Math.min(Math.max(cursor[1] + move[1], 0), ROWS - 1)];
    } else if (event.key === "Escape") clear();
    else if ([" ", "Enter", "Delete", "Backspace"].includes(event.key)) {
      touch.rub = ["Delete", "Backspace"].includes(event.key);
      touch(cursor[0] + 0.5, cursor[1] + 0.5);
      touch.rub = false;
    } else return;
    event.preventDefault();
    usedKeys = true;
    pad.redraw();
  });
  function clear() {
    digit.set("none");
    choose();
  }

  const ask = (side, values) => worker.ask({ kind: "complete", given: side, pixels: values });
  const complete = latest(async () => {
    const sent = performance.now();
    answer = (await ask(given.get(), pixels)).found;
    took = performance.now() - sent;
    show();
  });
  function request() {
    pad.redraw();
    if (loaded) complete();
  }
  function show() {
    for (const [way, { picture, bars, near }] of Object.entries(outcomes)) {
      const said = answer[way];
      if (!said) continue;
      picture.redraw();
      bars.forEach(({ fill, text }, i) => {
        fill.style.width = `${100 * said.shares[i]}%`;
        text.textContent = `${Math.round(100 * said.shares[i])} %`;
      });
      near.forEach((one, k) => {
        const row = said.nearest[k];
        one.caption.textContent = row === undefined || !images ? "" : images.train.labels[row];
        one.redraw();
      });
    }
    if (!pen) tell();
  }
  function tell() {
    const parts = Object.entries(answer).map(([way, said]) => {
      const best = said.shares.indexOf(Math.max(...said.shares));
      return `${TITLES[way]}: most likely a ${best} (${Math.round(100 * said.shares[best])} %)`;
    });
    if (!parts.length) return;
    const blank = pixels.every((v) => v === 0) ? "The half is empty. " : "";
    live.say(`${blank}Read ${parts.join("; ")}.${label === null ? "" : ` In truth: a ${label}.`}`);
  }

  const body = h("div", { class: "demo-body" },
    h("div", { class: "demo-row" }, given.element, digit.element, index.element, pressure.element,
      button("Clear", clear)),
    live.element,
    h("div", { class: "demo-ways" },
      h("div", { class: "demo-way" }, h("p", { class: "demo-title" }, "Draw here"), pad.element, realBox),
      ...Object.values(outcomes).map((one) => one.element)));
  readAddress(section, controls);
  live.say("Fetching the model, about two megabytes.");
  for (const one of Object.values(outcomes)) one.element.hidden = one.side === given.get();
  worker = startWorker(section, code, (said) => {
    if (said.kind === "loaded") {
      loaded = true;
      pick();
      if (images) sendBank();
    } else if (said.kind === "banked") { // it has the training images
      section.dataset.banked = "";
      request();
    }
  });
  const sendBank = () => worker.tell(
    { kind: "bank", left: images.text.left, right: images.text.right });
  arrival("hallucination").then((packed) => worker.tell({ kind: "load", packed }));
  arrival("images").then((packed) => {
    if (!packed) { // built where MNIST could not be had
      digit.set("none");
      digit.element.hidden = true;
      index.element.hidden = true;
      for (const one of Object.values(outcomes)) one.similar.hidden = true;
      return;
    }
    const set = ({ left, right, labels }) =>
      ({ left: bytes(left), right: bytes(right), labels: bytes(labels) });
    images = { train: set(packed.train), test: set(packed.test), text: packed.train };
    if (loaded) { sendBank(); pick(); }
  }).catch((error) => fail(section, `the images are damaged (${error.message}).`));
  section.demo = { ask, took: () => took, images: () => images, answer: () => answer };
  fill(section, body);
}

/** The distance of a point from a line between two others. */
function distance(x, y, ax, ay, bx, by) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const t = length ? Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0), 1) : 0;
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
