// Line charts in the page's colors, on uPlot.
import uPlot from "uplot";
import { brief, power } from "./text.js";
import { color, h, onTheme } from "./ui.js";

const HEIGHT = 190;

/** What an axis can hold: a run that collapses or diverges leaves the picture, not the page. */
const drawable = (y, log) => Number.isFinite(y) && Math.abs(y) < 1e12 && (!log || y > 1e-12);

/** Powers of ten, at most six of them. */
function decades(_, _axis, low, high) {
  const [from, to] = [low, high].map((value) => Math.round(Math.log10(value)));
  const stride = Math.max(Math.ceil((to - from) / 6), 1);
  return Array.from(
    { length: Math.floor((to - from) / stride) + 1 },
    (_none, i) => 10 ** (from + i * stride),
  );
}

/**
 * A chart of a few curves. `curves`: a name, an ink, dashes and perhaps a width each, which may
 * change until the next `redraw`; `x` and `y` name the axes.
 */
export function chart(title, curves, { x, y, log = false, wide = false } = {}) {
  const place = h("div", { class: "demo-chart", role: "img", "aria-label": title });
  let data = [[], ...curves.map(() => [])],
    plot = null;
  const values = (_, ticks) =>
    ticks.map((v) =>
      log && v > 0 && Math.abs(Math.log10(v)) > 3.5 ? power(Math.round(Math.log10(v))) : brief(v),
    );
  const axis = (label, size, more) => ({
    ...more,
    stroke: color("text"),
    grid: { stroke: color("grid"), width: 1 },
    ticks: { show: false },
    font: "12px sans-serif",
    labelFont: "12px sans-serif",
    labelSize: 16,
    labelGap: 0,
    label,
    size,
    values,
    gap: 8,
    filter: (_, ticks) => ticks,
  });
  const single = (_, i) => data[i].filter((value) => value !== null).length < 3; // no line yet
  function make() {
    plot?.destroy();
    plot = new uPlot(
      {
        width: Math.max(place.clientWidth, 120),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, range: (_, low, high) => [Math.min(low, 0), high] },
          y: log ? { distr: 3 } : {},
        },
        axes: [axis(x, 28, {}), axis(y, 48, log ? { splits: decades } : {})],
        series: [
          {},
          ...curves.map(({ name, ink, dash, width = 2 }) => ({
            label: name,
            stroke: color(ink),
            width,
            dash: dash.map((part) => part * width),
            points: { show: single, size: 6 },
            spanGaps: true,
          })),
        ],
      },
      data,
      place,
    );
    for (const drawn of place.querySelectorAll("canvas")) drawn.setAttribute("aria-hidden", "true");
  }
  new ResizeObserver(() => {
    if (!plot) make();
    else plot.setSize({ width: Math.max(place.clientWidth, 120), height: HEIGHT });
  }).observe(place);
  onTheme(make);
  return {
    element: h(
      "figure",
      { class: wide ? "demo-figure demo-wide" : "demo-figure" },
      h("figcaption", {}, title),
      place,
    ),
    set([xs, ...ys]) {
      data = [xs, ...ys.map((curve) => curve.map((v) => (drawable(v, log) ? v : null)))];
      plot?.setData(data);
    },
    redraw() {
      if (plot) make();
    },
    describe(text) {
      place.setAttribute("aria-label", `${title}. ${text}`);
    },
  };
}

/** Curves of their own points each, as lists of [x, y], on one axis. */
export function merge(lists) {
  const xs = [...new Set(lists.flatMap((list) => list.map(([x]) => x)))].sort((a, b) => a - b);
  const maps = lists.map((list) => new Map(list));
  return [xs, ...maps.map((map) => xs.map((x) => map.get(x) ?? null))];
}
