// Line charts in the page's colors, on uPlot.
import uPlot from "uplot";
import { color, h, onTheme } from "./ui.js";

const DASHES = [[], [6, 4], [2, 3]];
const HEIGHT = 170;

/** What an axis can hold: a run that collapses or diverges leaves the picture, not the page. */
const drawable = (y, log) =>
  Number.isFinite(y) && Math.abs(y) < 1e12 && (!log || y > 1e-12);

/** A chart of a few curves. `curves`: a name, a color's name and a dash each. */
export function chart(title, curves, { log = false, wide = false } = {}) {
  const place = h("div", { class: "demo-chart", role: "img", "aria-label": title });
  let data = [[], ...curves.map(() => [])], plot = null;
  const values = (_, ticks) => ticks.map((v) => (v === null ? "" : String(Number(v.toPrecision(3)))));
  const axis = () => ({
    stroke: color("text"), grid: { stroke: color("grid"), width: 1 }, ticks: { show: false },
    font: "12px sans-serif", size: 46, values,
  });
  function make() {
    plot?.destroy();
    plot = new uPlot({
      width: Math.max(place.clientWidth, 120), height: HEIGHT,
      legend: { show: false }, cursor: { show: false },
      scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
      axes: [{ ...axis(), size: 28 }, axis()],
      series: [{}, ...curves.map((one) => ({
        label: one.name, stroke: color(one.color), width: 2,
        dash: DASHES[one.dash], points: { show: false }, spanGaps: true,
      }))],
    }, data, place);
    for (const drawn of place.querySelectorAll("canvas")) drawn.setAttribute("aria-hidden", "true");
  }
  new ResizeObserver(() => {
    if (!plot) make();
    else plot.setSize({ width: Math.max(place.clientWidth, 120), height: HEIGHT });
  }).observe(place);
  onTheme(make);
  return {
    element: h("figure", { class: wide ? "demo-figure demo-wide" : "demo-figure" },
      h("figcaption", {}, title), place),
    set([x, ...ys]) {
      data = [x, ...ys.map((curve) => curve.map((y) => (drawable(y, log) ? y : null)))];
      plot?.setData(data);
    },
    describe(text) { place.setAttribute("aria-label", `${title}. ${text}`); },
  };
}
