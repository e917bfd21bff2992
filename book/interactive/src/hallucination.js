// The hallucination pad: draw half a digit, and the model draws the other half.
import code from "worker:hallucination-worker";
import { latest, startWorker } from "./host.js";
import { fail, remark } from "./notes.js";
import { aDigit } from "./text.js";
import {
  button,
  canvas,
  choice,
  fill,
  h,
  liveRegion,
  readAddress,
  slider,
  writeAddress,
} from "./ui.js";
import { arrival, bytes } from "./weights.js";

const NAME = "hallucination";
const ROWS = 28,
  COLUMNS = 14,
  PIXELS = ROWS * COLUMNS;
const TITLES = {
  encoder: "from the encoder",
  forward: "through the forward predictor",
  backward: "through the backward predictor",
};
const SHOWN = 5,
  CERTAIN = 0.25; // neighbors to show; the largest variance of a value in 0..1

const stamp = Object.assign(document.createElement("canvas"), { width: 2 * COLUMNS, height: ROWS });

/** From agreement to the largest doubt: matplotlib's magma, at eighths. */
const MAGMA = [
  "000004",
  "1d1147",
  "51127c",
  "832681",
  "b73779",
  "e75263",
  "fc8961",
  "fec488",
  "fcfdbf",
].map((code) => [0, 2, 4].map((i) => parseInt(code.slice(i, i + 2), 16)));
const gray = (value) => Array(3).fill(Math.round(255 * value));
function magma(value) {
  const at = Math.min(value, 1) * (MAGMA.length - 1),
    low = Math.min(Math.floor(at), MAGMA.length - 2);
  return MAGMA[low].map((v, i) => Math.round(v + (at - low) * (MAGMA[low + 1][i] - v)));
}

/** Paint halves, each 28 x 14 in 0..1, side by side as one picture; what is missing stays open. */
function paint(context, width, height, halves, inks = [gray, gray]) {
  const columns = COLUMNS * halves.length;
  const image = new ImageData(2 * COLUMNS, ROWS);
  halves.forEach((half, side) => {
    for (let i = 0; half && i < PIXELS; i += 1) {
      const place = Math.floor(i / COLUMNS) * 2 * COLUMNS + side * COLUMNS + (i % COLUMNS);
      image.data.set([...inks[side](half[i]), 255], 4 * place);
    }
  });
  stamp.getContext("2d").putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.clearRect(0, 0, width, height);
  context.drawImage(stamp, 0, 0, columns, ROWS, 0, 0, width, height);
}

/** How far images differ in each pixel: the variance of values in 0..1. */
function doubt(halves) {
  return Float32Array.from({ length: PIXELS }, (_, i) => {
    const mean = halves.reduce((sum, half) => sum + half[i], 0) / halves.length;
    return halves.reduce((sum, half) => sum + (half[i] - mean) ** 2, 0) / (halves.length - 1);
  });
}

function build(section) {
  const live = liveRegion();
  let pixels = new Float32Array(PIXELS),
    truth = null,
    label = null;
  let answer = {},
    images = null,
    worker = null,
    loaded = false;
  let cursor = [7, 5],
    pen = null,
    before = null,
    usedKeys = false,
    took = 0;

  const choose = () => {
    writeAddress(section, controls);
    pick();
  };
  const given = choice(
    "you draw",
    [
      ["left", "the left half"],
      ["right", "the right half"],
    ],
    "left",
    choose,
  );
  const digit = choice(
    "take a digit",
    [
      ["none", "none: draw one"],
      ["any", "any"],
      ...Array.from({ length: 10 }, (_, i) => [String(i), String(i)]),
    ],
    "3",
    () => {
      index.set(0);
      choose();
    },
  );
  const index = slider("which one", [0, 19, 1], 0, choose, 0);
  const erase = ["rows erased from", "up to"].map((label) =>
    slider(
      label,
      [0, ROWS, 1],
      0,
      () => {
        writeAddress(section, controls);
        request();
      },
      0,
    ),
  );
  const pressure = choice(
    "pen",
    [
      ["ink", "draws"],
      ["rub", "rubs out"],
    ],
    "ink",
    () => {},
  );
  const controls = { given, digit, index, top: erase[0], end: erase[1] };
  /** The half that is given: what was drawn, without the rows that are erased. */
  function seen() {
    const found = pixels.slice(),
      [top, end] = erase.map((one) => one.get());
    if (top < end) found.fill(0, top * COLUMNS, end * COLUMNS);
    return found;
  }

  const pad = canvas(
    {
      class: "demo-pad",
      tabindex: "0",
      role: "application",
      "aria-label":
        "The half you draw. Arrow keys move the pen, space sets a point, Delete rubs out, " +
        "Escape clears.",
    },
    (context, width, height) => {
      paint(context, width, height, [seen()]);
      if (usedKeys && document.activeElement === pad.element) {
        const size = width / COLUMNS;
        context.strokeStyle = "#ffb000";
        context.lineWidth = 2;
        context.strokeRect(cursor[0] * size, cursor[1] * size, size, size);
      }
    },
  );
  const outcomes = {};
  for (const [way, title] of Object.entries(TITLES)) {
    const side = way === "backward" ? "left" : "right";
    const whole = (half, missing) => (side === "right" ? [half, missing] : [missing, half]);
    const picture = canvas(
      { class: "demo-picture", role: "img", "aria-label": title },
      (c, w, hgt) => {
        const drawn = answer[way]?.drawn;
        paint(c, w, hgt, whole(drawn && seen(), drawn));
      },
    );
    const unsure = canvas(
      { class: "demo-picture", role: "img", "aria-label": `doubt, ${title}` },
      (c, w, hgt) => {
        const rows = answer[way]?.nearest;
        if (!images || !rows?.length) {
          c.clearRect(0, 0, w, hgt);
          return;
        }
        const map = doubt(rows.map((row) => train(side, row))).map((v) => v / CERTAIN);
        paint(c, w, hgt, whole(seen(), map), whole(gray, magma));
      },
    );
    const bars = Array.from({ length: 10 }, (_, i) => {
      const fill = h("span", { class: "demo-bar" }),
        text = h("span", { class: "demo-share" });
      return {
        row: h("li", {}, h("span", {}, String(i)), h("span", { class: "demo-track" }, fill), text),
        fill,
        text,
      };
    });
    const near = Array.from({ length: SHOWN }, (_, k) => {
      const caption = h("figcaption", {});
      const one = canvas(
        { class: "demo-near", role: "img", "aria-label": "a similar training image" },
        (c, w, hgt) => {
          const row = answer[way]?.nearest[k];
          if (images && row !== undefined)
            paint(
              c,
              w,
              hgt,
              ["left", "right"].map((half) => train(half, row)),
            );
        },
      );
      return { ...one, caption, figure: h("figure", {}, one.element, caption) };
    });
    const similar = h(
      "div",
      { hidden: true },
      h("p", { class: "demo-title" }, "Most similar training images"),
      h("div", { class: "demo-nears" }, ...near.map((one) => one.figure)),
    );
    const map = h("div", { hidden: true }, h("p", {}, "its doubt"), unsure.element);
    outcomes[way] = {
      side,
      picture,
      unsure,
      bars,
      near,
      similar,
      map,
      element: h(
        "div",
        { class: "demo-way" },
        h("p", { class: "demo-title" }, `The ${side} half ${title}`),
        h(
          "div",
          { class: "demo-pair" },
          h("div", {}, h("p", {}, "what it draws"), picture.element),
          map,
        ),
        h(
          "ul",
          { class: "demo-bars", "aria-label": `probability of each digit, ${title}` },
          ...bars.map((one) => one.row),
        ),
        similar,
      ),
    };
  }
  const real = canvas(
    { class: "demo-picture", role: "img", "aria-label": "the true digit" },
    (c, w, hgt) => {
      if (truth) paint(c, w, hgt, truth);
    },
  );
  const realBox = h(
    "div",
    { class: "demo-real" },
    h("p", { class: "demo-title" }, "The true digit"),
    real.element,
  );

  const train = (half, row) =>
    Float32Array.from(
      images.train[half].subarray(row * PIXELS, (row + 1) * PIXELS),
      (v) => v / 255,
    );

  /** Take an image, or an empty pad. */
  function pick() {
    const side = given.get();
    [truth, label, answer] = [null, null, {}];
    pixels = new Float32Array(PIXELS);
    if (images && digit.get() !== "none") {
      const rows = [...images.test.labels.keys()].filter(
        (row) => digit.get() === "any" || images.test.labels[row] === Number(digit.get()),
      );
      const row = rows[index.get() % rows.length];
      truth = ["left", "right"].map((half) =>
        Float32Array.from(
          images.test[half].subarray(row * PIXELS, (row + 1) * PIXELS),
          (v) => v / 255,
        ),
      );
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
    if (erase[0].get() < erase[1].get()) {
      // a stroke goes on what is seen
      pixels = seen();
      for (const one of erase) one.set(0);
      writeAddress(section, controls);
    }
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
    return [
      ((event.clientX - box.left) / box.width) * COLUMNS,
      ((event.clientY - box.top) / box.height) * ROWS,
    ];
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
  pad.element.addEventListener("pointerup", () => {
    pen = null;
    tell();
  });
  pad.element.addEventListener("pointercancel", () => {
    // it was no stroke
    if (pen) pixels.set(before);
    pen = null;
    request();
  });
  pad.element.addEventListener("blur", () => pad.redraw());
  pad.element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    if (move) {
      cursor = [
        Math.min(Math.max(cursor[0] + move[0], 0), COLUMNS - 1),
        Math.min(Math.max(cursor[1] + move[1], 0), ROWS - 1),
      ];
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
    for (const one of erase) one.set(0);
    choose();
  }

  const ask = (side, values) => worker.ask({ kind: "complete", given: side, pixels: values });
  const complete = latest(async () => {
    const sent = performance.now();
    answer = (await ask(given.get(), seen())).found;
    took = performance.now() - sent;
    show();
  });
  function request() {
    pad.redraw();
    if (loaded) complete();
  }
  function show() {
    for (const [way, { picture, unsure, map, similar, bars, near }] of Object.entries(outcomes)) {
      const said = answer[way];
      if (!said) continue;
      picture.redraw();
      similar.hidden = map.hidden = scale.hidden = !images || !said.nearest.length;
      unsure.redraw();
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
      return `${TITLES[way]}: most likely ${aDigit(best)} (${Math.round(100 * said.shares[best])} %)`;
    });
    if (!parts.length) return;
    const blank = seen().every((v) => v === 0) ? "The half is empty. " : "";
    live.say(
      `${blank}Read ${parts.join("; ")}.${label === null ? "" : ` In truth: ${aDigit(label)}.`}`,
    );
  }

  const scale = h(
    "p",
    { hidden: true },
    "Doubt: how far the missing halves of the 32 most " +
      "similar of 2,000 training images differ, from not at all ",
    h("span", { class: "demo-ramp", "aria-hidden": "true" }),
    " to half white, half black (a variance of 0.25).",
  );
  const body = h(
    "div",
    { class: "demo-body" },
    h(
      "div",
      { class: "demo-row" },
      given.element,
      digit.element,
      index.element,
      ...erase.map((one) => one.element),
      pressure.element,
      button("Clear", clear),
    ),
    live.element,
    h(
      "div",
      { class: "demo-ways" },
      h(
        "div",
        { class: "demo-way demo-draw" },
        h("p", { class: "demo-title" }, "Draw here"),
        pad.element,
        realBox,
      ),
      ...Object.values(outcomes).map((one) => one.element),
    ),
    scale,
  );
  readAddress(section, controls);
  live.say("Fetching the model, about two megabytes.");
  for (const one of Object.values(outcomes)) one.element.hidden = one.side === given.get();
  worker = startWorker(section, code, (said) => {
    if (said.kind === "loaded") {
      loaded = true;
      pick();
      if (images) sendBank();
    } else if (said.kind === "banked") {
      // it has the training images
      section.dataset.banked = "";
      request();
    }
  });
  const sendBank = () =>
    worker.tell({ kind: "bank", left: images.text.left, right: images.text.right });
  arrival("hallucination").then((packed) => worker.tell({ kind: "load", packed }));
  arrival("images")
    .then((packed) => {
      if (!packed) {
        // built where MNIST could not be had
        digit.set("none");
        digit.element.hidden = true;
        index.element.hidden = true;
        return;
      }
      const set = ({ left, right, labels }) => ({
        left: bytes(left),
        right: bytes(right),
        labels: bytes(labels),
      });
      images = { train: set(packed.train), test: set(packed.test), text: packed.train };
      if (loaded) {
        sendBank();
        pick();
      }
    })
    .catch((error) => fail(section, `the images are damaged (${error.message}).`));
  section.demo = { ask, took: () => took, images: () => images, answer: () => answer };
  fill(section, body);
}

/** The distance of a point from a line between two others. */
function distance(x, y, ax, ay, bx, by) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const t = length
    ? Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0), 1)
    : 0;
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
