// The hallucination pad: draw half a digit, and the model draws the other half.
import code from "worker:hallucination-worker";
import { digitBars, gray, half, inOrder, likeliest, PIXELS, paint } from "./halves.js";
import { latest, startWorker } from "./host.js";
import { fail } from "./notes.js";
import { drawingPad, images } from "./pad.js";
import { aDigit } from "./text.js";
import { canvas, fill, h, liveRegion, readAddress } from "./ui.js";
import { arrival } from "./weights.js";

const NAME = "hallucination";
const TITLES = {
  encoder: "from the encoder",
  forward: "through the forward predictor",
  backward: "through the backward predictor",
};
const SHOWN = 5,
  CERTAIN = 0.25; // neighbors to show; the largest variance of a value in 0..1

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
function magma(value) {
  const at = Math.min(value, 1) * (MAGMA.length - 1),
    low = Math.min(Math.floor(at), MAGMA.length - 2);
  return MAGMA[low].map((v, i) => Math.round(v + (at - low) * (MAGMA[low + 1][i] - v)));
}

/** How far images differ in each pixel: the variance of values in 0..1. */
function doubt(halves) {
  return Float32Array.from({ length: PIXELS }, (_, i) => {
    const mean = halves.reduce((sum, one) => sum + one[i], 0) / halves.length;
    return halves.reduce((sum, one) => sum + (one[i] - mean) ** 2, 0) / (halves.length - 1);
  });
}

function build(section) {
  const live = liveRegion();
  let answer = {},
    training = null,
    worker = null,
    loaded = false,
    took = 0;

  const pad = drawingPad(
    section,
    { given: "left", digit: "3", index: 0 },
    {
      picked() {
        answer = {};
        offer();
      },
      changed: request,
      rested: tell,
    },
  );
  const outcomes = {};
  for (const [way, title] of Object.entries(TITLES)) {
    const given = way === "backward" ? "right" : "left",
      side = given === "left" ? "right" : "left";
    const picture = canvas(
      { class: "demo-picture", role: "img", "aria-label": title },
      (c, w, hgt) => {
        const drawn = answer[way]?.drawn;
        paint(c, w, hgt, inOrder(given, drawn && pad.seen(), drawn));
      },
    );
    const unsure = canvas(
      { class: "demo-picture", role: "img", "aria-label": `doubt, ${title}` },
      (c, w, hgt) => {
        const rows = answer[way]?.nearest;
        if (!training || !rows?.length) {
          c.clearRect(0, 0, w, hgt);
          return;
        }
        const map = doubt(rows.map((row) => half(training, side, row))).map((v) => v / CERTAIN);
        paint(c, w, hgt, inOrder(given, pad.seen(), map), inOrder(given, gray, magma));
      },
    );
    const bars = digitBars(`probability of each digit, ${title}`);
    const near = Array.from({ length: SHOWN }, (_, k) => {
      const caption = h("figcaption", {});
      const one = canvas(
        { class: "demo-near", role: "img", "aria-label": "a similar training image" },
        (c, w, hgt) => {
          const row = answer[way]?.nearest[k];
          if (training && row !== undefined)
            paint(
              c,
              w,
              hgt,
              ["left", "right"].map((which) => half(training, which, row)),
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
      given,
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
        bars.element,
        similar,
      ),
    };
  }
  /** Show the ways that begin with the half that is given. */
  function offer() {
    for (const one of Object.values(outcomes)) one.element.hidden = one.given !== pad.given();
  }

  const ask = (side, values) => worker.ask({ kind: "complete", given: side, pixels: values });
  const complete = latest(async () => {
    const sent = performance.now();
    answer = (await ask(pad.given(), pad.seen())).found;
    took = performance.now() - sent;
    show();
  });
  function request() {
    if (loaded) complete();
  }
  function show() {
    for (const [way, { picture, unsure, map, similar, bars, near }] of Object.entries(outcomes)) {
      const said = answer[way];
      if (!said) continue;
      picture.redraw();
      similar.hidden = map.hidden = scale.hidden = !training || !said.nearest.length;
      unsure.redraw();
      bars.show(said.shares);
      near.forEach((one, k) => {
        const row = said.nearest[k];
        one.caption.textContent = row === undefined || !training ? "" : training.labels[row];
        one.redraw();
      });
    }
    if (!pad.drawing()) tell();
  }
  function tell() {
    const parts = Object.entries(answer).map(([way, said]) => {
      const best = likeliest(said.shares);
      return `${TITLES[way]}: most likely ${aDigit(best)} (${Math.round(100 * said.shares[best])} %)`;
    });
    if (parts.length) live.say(pad.about(`Read ${parts.join("; ")}.`));
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
    h("div", { class: "demo-row" }, ...pad.choices),
    live.element,
    h(
      "div",
      { class: "demo-ways" },
      pad.element,
      ...Object.values(outcomes).map((one) => one.element),
    ),
    scale,
  );
  readAddress(section, pad.controls);
  live.say("Fetching the model, about two megabytes.");
  offer();
  worker = startWorker(section, code, (said) => {
    if (said.kind === "loaded") {
      loaded = true;
      request();
    } else if (said.kind === "banked") {
      // it has the training images
      section.dataset.banked = "";
      request();
    }
  });
  arrival(NAME).then((packed) => {
    worker.tell({ kind: "load", packed });
    arrival("training")
      .then((those) => {
        if (!those) return; // built where MNIST could not be had
        training = images(those);
        worker.tell({ kind: "bank", left: those.left, right: those.right });
      })
      .catch((error) => fail(section, `the images are damaged (${error.message}).`));
  });
  section.demo = { ask, took: () => took, training: () => training, answer: () => answer };
  fill(section, body);
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
