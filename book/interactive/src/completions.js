// Many completions: half a digit, and other halves that the model draws, one for each z.
import code from "worker:completions-worker";
import { digitBars, inOrder, likeliest, PIXELS, paint } from "./halves.js";
import { latest, startWorker } from "./host.js";
import { drawingPad } from "./pad.js";
import { normals, uniforms } from "./random.js";
import { aDigit, numberWithin } from "./text.js";
import { button, canvas, fill, h, liveRegion, readAddress, slider } from "./ui.js";
import { arrival } from "./weights.js";

const NAME = "completions";
const COUNT = 64,
  SHOWN = 8,
  WIDTH = 16; // samples, those to show, and numbers in z
const PURPOSE = 5; // of the noise
const DRAWS = 999;

/** A number that the address keeps and a button moves. */
function counter(value) {
  return {
    get: () => value,
    set: (next) => {
      value = next;
    },
    text: () => String(value),
    parse: (text) => {
      const found = numberWithin(text, 1, DRAWS);
      return Number.isInteger(found) ? found : undefined;
    },
  };
}

function build(section) {
  const live = liveRegion();
  let answer = null,
    worker = null,
    loaded = false,
    took = 0;

  const pad = drawingPad(
    section,
    { given: "left", digit: "2", index: 12 },
    {
      picked() {
        answer = null;
      },
      changed: request,
      rested: tell,
    },
  );
  const draw = counter(1);
  const strength = slider("z times", [0, 2, 0.1], 1, () => change(), 1);
  Object.assign(pad.controls, { z: strength, draw });
  const change = () => {
    pad.save();
    request();
  };
  const again = button(
    "Again",
    () => {
      draw.set((draw.get() % DRAWS) + 1);
      change();
    },
    { class: "demo-button demo-main" },
  );

  /** A picture of a completion, with what it is read as. */
  function picture(name, row) {
    const caption = h("figcaption", {});
    const one = canvas({ class: "demo-near", role: "img", "aria-label": name }, (c, w, hgt) => {
      const drawn = answer?.drawn.subarray(row * PIXELS, (row + 1) * PIXELS);
      paint(c, w, hgt, inOrder(pad.given(), answer && pad.seen(), drawn));
    });
    const show = () => {
      caption.textContent = answer.digits[row];
      one.element.setAttribute("aria-label", `${name}, read as ${aDigit(answer.digits[row])}`);
      one.redraw();
    };
    return { show, figure: h("figure", {}, one.element, caption) };
  }
  const several = Array.from({ length: SHOWN }, (_, row) => picture(`completion ${row + 1}`, row));
  const mean = picture("the mean of all, drawn", COUNT);
  const bars = digitBars(`share of each digit in ${COUNT} completions`);

  const ask = (given, pixels, noise, count) =>
    worker.ask({ kind: "complete", given, pixels, noise, count });
  /** The same for the same draw, whatever is completed. */
  const noise = () =>
    normals(COUNT * WIDTH, uniforms(draw.get(), PURPOSE)).map((value) => strength.get() * value);
  const complete = latest(async () => {
    const sent = performance.now();
    const { drawn, scores } = await ask(pad.given(), pad.seen(), noise(), COUNT);
    const digits = Array.from({ length: COUNT + 1 }, (_, row) =>
      likeliest(scores.subarray(10 * row, 10 * (row + 1))),
    );
    const shares = Array(10).fill(0);
    for (const digit of digits.slice(0, COUNT)) shares[digit] += 1 / COUNT;
    answer = { drawn, digits, shares };
    took = performance.now() - sent;
    for (const one of [...several, mean]) one.show();
    bars.show(shares);
    if (!pad.drawing()) tell();
  });
  function request() {
    if (loaded) complete();
  }
  function tell() {
    if (!answer) return;
    const [first, ...others] = answer.shares
      .map((share, digit) => [Math.round(COUNT * share), digit])
      .filter(([count]) => count)
      .sort(([a], [b]) => b - a);
    const more = others.map(([count, digit]) => `, ${count} as ${aDigit(digit)}`).join("");
    live.say(
      pad.about(`Of ${COUNT} completions ${first[0]} are read as ${aDigit(first[1])}${more}.`),
    );
  }

  const body = h(
    "div",
    { class: "demo-body" },
    h("div", { class: "demo-row" }, ...pad.choices),
    live.element,
    h(
      "div",
      { class: "demo-ways" },
      pad.element,
      h(
        "div",
        { class: "demo-way demo-several" },
        h("div", { class: "demo-row" }, again, strength.element),
        h("p", { class: "demo-title" }, `${SHOWN} of the ${COUNT}, and how each is read`),
        h("div", { class: "demo-nears" }, ...several.map((one) => one.figure)),
        h(
          "div",
          { class: "demo-pair" },
          h("div", {}, h("p", { class: "demo-title" }, "Their mean, drawn"), mean.figure),
          h("div", {}, h("p", { class: "demo-title" }, `How all ${COUNT} are read`), bars.element),
        ),
      ),
    ),
    h(
      "p",
      {},
      "Each completion has a z of its own; a draw keeps its z while you change the half, and " +
        "Again draws anew. At 0 times z there is one answer, at 1 as many as the model has " +
        "learned. The mean is that of the embeddings, drawn like one of them.",
    ),
  );
  readAddress(section, pad.controls);
  live.say("Fetching the model, about two megabytes.");
  worker = startWorker(section, code, (said) => {
    if (said.kind !== "loaded") return;
    loaded = true;
    request();
  });
  arrival(NAME).then((packed) => worker.tell({ kind: "load", packed }));
  section.demo = { ask, took: () => took, answer: () => answer };
  fill(section, body);
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
