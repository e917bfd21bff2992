// The position cursor: choose a place from w to z, and see what two models make of it.
import { DOTTED, SOLID, together } from "./looks.js";
import {
  brief,
  canvas,
  choice,
  color,
  draggable,
  fill,
  h,
  line,
  liveRegion,
  readAddress,
  swatch,
  writeAddress,
} from "./ui.js";

const NAME = "position";
const data = globalThis.bijepaData?.[NAME];
const SYSTEMS = [
  ["sine", "sine waves"],
  ["lorenz", "Lorenz"],
  ["mnist", "digits, by column"],
];
const READINGS = [
  ["forecast", "the forecast (Protocol B)"],
  ["embedding", "the embedding (Protocol A)"],
];
const LEFT = 56,
  RIGHT = 10,
  TOP = 12,
  BOTTOM = 26;

function build(section) {
  const live = liveRegion();
  const changed = () => {
    update();
    writeAddress(section, controls);
  };
  const controls = {
    system: choice("system", SYSTEMS, "sine", changed),
    read: choice("read off", READINGS, "forecast", changed),
    pair: choice(
      "models",
      data.pairs.map(([key, ours, theirs]) => [
        key,
        `${data.labels[ours]} / ${data.labels[theirs]}`,
      ]),
      data.pairs[0][0],
      changed,
    ),
    at: cursor(changed),
  };
  let shown = null;

  /** What the controls ask for: windows, positions a window, both models' curves and their ratio. */
  function found() {
    const { size, names, unit, readings } = data.systems[controls.system.get()];
    const { windows, models, pairs } = readings[controls.read.get()];
    for (const option of controls.pair.input.options) option.disabled = !(option.value in pairs);
    if (!(controls.pair.get() in pairs)) controls.pair.set(data.pairs[0][0]); // digits have fewer
    const [key, ...two] = data.pairs.find(([one]) => one === controls.pair.get());
    controls.at.fit(windows, size, (window, i) =>
      unit === "column"
        ? `${names[window]}, column ${window === "x" ? size - i : i + 1} from the seam`
        : `${names[window]}, ${unit} ${i + 1} of ${size}`,
    );
    return {
      size,
      windows,
      names,
      labels: two.map((one) => data.labels[one]),
      pens: together(two.map((one) => data.models[one])).map((one) => ({ ...one, width: 2.5 })),
      curves: two.map((one) => models[one]),
      ratio: pairs[key],
    };
  }

  function update() {
    shown = found();
    const i = controls.at.index(),
      { labels, curves, ratio } = shown;
    const [middle, low, high] = ratio.map((values) => values[i]);
    const spoken = (values) =>
      `${brief(values[0][i])} [${brief(values[1][i])}, ${brief(values[2][i])}]`;
    const numbers = `the ratio is ${middle.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
    const factor = Math.max(middle, 1 / middle).toFixed(1);
    const verdict =
      low <= 1 && high >= 1
        ? `No difference is shown: ${numbers}.`
        : `The first is ${factor} times ${middle < 1 ? "smaller" : "larger"}: ${numbers}.`;
    const text =
      `${controls.at.words()}. Errors: ${labels[0]} ${spoken(curves[0])}; ` +
      `${labels[1]} ${spoken(curves[1])}. ${verdict}`;
    live.say(text);
    labels.forEach((label, k) => {
      keys[k].textContent = label;
      Object.assign(samples[k], shown.pens[k]);
    });
    for (const one of swatches) one.redraw();
    plot.element.setAttribute("aria-label", `Errors by position. ${text}`);
    plot.redraw();
  }

  const across = (i, width, count) => LEFT + ((i + 0.5) / count) * (width - LEFT - RIGHT);
  function draw(context, width, height) {
    context.clearRect(0, 0, width, height);
    if (!shown) return;
    const { size, windows, names, curves, pens } = shown,
      count = size * windows.length;
    const all = curves.flatMap(([, low, high]) => [...low, ...high]).map(Math.log10);
    const [bottom, top] = [Math.min(...all) - 0.05, Math.max(...all) + 0.05];
    const x = (i) => across(i, width, count);
    const y = (value) =>
      TOP + ((top - Math.log10(value)) / (top - bottom)) * (height - TOP - BOTTOM);
    context.font = "13px sans-serif";
    context.fillStyle = color("text");
    context.textAlign = "right";
    for (let power = Math.floor(bottom); power <= top; power++) {
      for (const digit of [1, 2, 5]) {
        const value = digit * 10 ** power;
        if (Math.log10(value) < bottom || Math.log10(value) > top) continue;
        line(
          context,
          [
            [LEFT, y(value)],
            [width - RIGHT, y(value)],
          ],
          { ink: "grid", dash: SOLID, width: 1 },
        );
        context.fillText(brief(value), LEFT - 6, y(value) + 4);
      }
    }
    context.textAlign = "center";
    windows.forEach((window, k) => {
      context.fillText(names[window], x((k + 0.5) * size - 0.5), height - 8);
      if (k)
        line(
          context,
          [
            [x(k * size - 0.5), TOP],
            [x(k * size - 0.5), height - BOTTOM],
          ],
          { ink: "grid-strong", dash: SOLID, width: 1 },
        );
    });
    curves.forEach(([middle, low, high], k) => {
      context.beginPath();
      high.forEach((value, i) => {
        context[i ? "lineTo" : "moveTo"](x(i), y(value));
      });
      [...low].reverse().forEach((value, i) => {
        context.lineTo(x(count - 1 - i), y(value));
      });
      context.globalAlpha = 0.2;
      context.fillStyle = color(pens[k].ink);
      context.fill();
      context.globalAlpha = 1;
      line(
        context,
        middle.map((value, i) => [x(i), y(value)]),
        pens[k],
      );
    });
    const i = controls.at.index();
    line(
      context,
      [
        [x(i), TOP],
        [x(i), height - BOTTOM],
      ],
      { ink: "text", dash: DOTTED, width: 1.5 },
    );
    curves.forEach(([middle], k) => {
      context.setLineDash([]);
      context.beginPath();
      context.arc(x(i), y(middle[i]), 5, 0, 7);
      context.fillStyle = color(pens[k].ink);
      context.fill();
    });
  }
  const plot = canvas(
    { class: "demo-plot", role: "img", "aria-label": "Errors by position." },
    draw,
  );
  draggable(plot.element, (at, width) => {
    const count = shown.size * shown.windows.length;
    const share = (at - LEFT) / (width - LEFT - RIGHT);
    controls.at.move(Math.min(count - 1, Math.max(0, Math.floor(share * count))));
    changed();
  });

  const keys = [0, 1].map(() => h("span", {}));
  const samples = keys.map(() => ({ ink: "text", dash: SOLID }));
  const swatches = samples.map(swatch);
  const body = h(
    "div",
    { class: "demo-body" },
    h(
      "p",
      { class: "demo-hint" },
      "Drag over the picture or move the slider; arrow keys move it by one position. " +
        "Lines are geometric means over 32 seeds, bands and brackets 95 % intervals.",
    ),
    h(
      "p",
      { class: "demo-legend" },
      ...keys.map((key, k) => h("span", { class: "demo-entry" }, swatches[k].element, key)),
    ),
    plot.element,
    controls.at.element,
    live.element,
    h(
      "div",
      { class: "demo-grid" },
      ...["system", "read", "pair"].map((name) => controls[name].element),
    ),
  );
  readAddress(section, controls);
  fill(section, body);
  update();
}

/** A slider over the positions of several windows; an address names a window and a position: y1. */
function cursor(changed) {
  let windows = ["x", "y", "z"],
    size = 10,
    name = () => "",
    wanted = ["y", 1];
  const output = h("span", { class: "demo-value" });
  const input = h("input", {
    type: "range",
    min: 0,
    max: 29,
    step: 1,
    input: () => {
      move(Number(input.value));
      changed();
    },
  });
  const index = () => windows.indexOf(wanted[0]) * size + wanted[1] - 1;
  const words = () => name(wanted[0], wanted[1] - 1);
  function move(i) {
    wanted = [windows[Math.floor(i / size)], (i % size) + 1];
  }
  return {
    element: h("label", { class: "demo-field" }, h("span", {}, "position: ", output), input),
    get: () => wanted,
    set: (next) => {
      wanted = next;
    },
    text: () => wanted.join(""),
    parse: (text) => {
      const [, window, place] = /^([w-z])([1-9]|1\d|20)$/.exec(text) ?? [];
      return window ? [window, Number(place)] : undefined;
    },
    index,
    words,
    move,
    /** There are these windows now, of so many positions; stay as near as can be. */
    fit(next, count, called) {
      [windows, size, name] = [next, count, called];
      if (!windows.includes(wanted[0])) wanted = [windows.includes("y") ? "y" : windows[0], 1];
      wanted[1] = Math.min(wanted[1], size);
      input.max = windows.length * size - 1;
      input.value = index();
      output.textContent = words();
      input.setAttribute("aria-valuetext", words());
    },
  };
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
