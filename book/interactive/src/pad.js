// A pad for half a digit: drawn by mouse, finger or keyboard, or taken from a real digit.
import { COLUMNS, half, PIXELS, paint, ROWS } from "./halves.js";
import { fail, remark } from "./notes.js";
import { aDigit } from "./text.js";
import { button, canvas, choice, h, slider, writeAddress } from "./ui.js";
import { arrival, bytes } from "./weights.js";

/** Images and labels, of what the build packed. */
export const images = ({ left, right, labels }) => ({
  left: bytes(left),
  right: bytes(right),
  labels: bytes(labels),
});

/**
 * Make a pad. `start` says what is given at first: a side, a digit, and which of its images. `picked`
 * hears that another half was chosen, `changed` that there is something else to complete, and
 * `rested` that a stroke is done. A demo adds its own controls to those that the address keeps.
 */
export function drawingPad(section, start, { picked, changed, rested }) {
  let pixels = new Float32Array(PIXELS),
    truth = null,
    label = null,
    test = null;
  let cursor = [7, 5],
    pen = null,
    before = null,
    usedKeys = false;

  const save = () => writeAddress(section, controls);
  const choose = () => {
    save();
    pick();
  };
  const given = choice(
    "you draw",
    [
      ["left", "the left half"],
      ["right", "the right half"],
    ],
    start.given,
    choose,
  );
  const digit = choice(
    "take a digit",
    [
      ["none", "none: draw one"],
      ["any", "any"],
      ...Array.from({ length: 10 }, (_, i) => [String(i), String(i)]),
    ],
    start.digit,
    () => {
      index.set(0);
      choose();
    },
  );
  const index = slider("which one", [0, 19, 1], start.index, choose, 0);
  const erase = ["rows erased from", "up to"].map((text) =>
    slider(
      text,
      [0, ROWS, 1],
      0,
      () => {
        save();
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

  /** A sentence on the half, beside what is known of it. */
  function about(said) {
    const blank = seen().every((v) => v === 0) ? "The half is empty. " : "";
    return `${blank}${said}${label === null ? "" : ` In truth: ${aDigit(label)}.`}`;
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
  const real = canvas(
    { class: "demo-picture", role: "img", "aria-label": "the true digit" },
    (c, w, hgt) => {
      if (truth) paint(c, w, hgt, truth);
    },
  );
  const realBox = h(
    "div",
    { class: "demo-real", hidden: true },
    h("p", { class: "demo-title" }, "The true digit"),
    real.element,
  );

  /** Take an image, or an empty pad. */
  function pick() {
    [truth, label] = [null, null];
    pixels = new Float32Array(PIXELS);
    if (test && digit.get() !== "none") {
      const rows = [...test.labels.keys()].filter(
        (row) => digit.get() === "any" || test.labels[row] === Number(digit.get()),
      );
      const row = rows[index.get() % rows.length];
      truth = ["left", "right"].map((side) => half(test, side, row));
      label = test.labels[row];
      pixels = truth[given.get() === "left" ? 0 : 1].slice();
    }
    realBox.hidden = !truth;
    real.redraw();
    picked();
    request();
  }
  function request() {
    pad.redraw();
    changed();
  }
  /** Put ink (or take it away) around a point in pixels of the half. */
  function touch(x, y, last) {
    remark(section, "");
    if (erase[0].get() < erase[1].get()) {
      // a stroke goes on what is seen
      pixels = seen();
      for (const one of erase) one.set(0);
      save();
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
    rested();
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

  arrival("images")
    .then((packed) => {
      if (packed) test = images(packed);
      else {
        // built where MNIST could not be had
        digit.set("none");
        digit.element.hidden = true;
        index.element.hidden = true;
      }
      pick();
    })
    .catch((error) => fail(section, `the images are damaged (${error.message}).`));
  return {
    controls,
    save,
    seen,
    about,
    given: () => given.get(),
    drawing: () => pen !== null,
    choices: [
      ...[given, digit, index].map((one) => one.element),
      h("div", { class: "demo-row" }, ...erase.map((one) => one.element)),
      pressure.element,
      button("Clear", clear),
    ],
    element: h(
      "div",
      { class: "demo-way demo-draw" },
      h("p", { class: "demo-title" }, "Draw here"),
      pad.element,
      realBox,
    ),
  };
}

/** The distance of a point from a line between two others. */
function distance(x, y, ax, ay, bx, by) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const t = length
    ? Math.min(Math.max(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0), 1)
    : 0;
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}
