// The picture of the double well: the particle on its potential, its futures above, its pasts below.
import { potential, shares } from "./double-well.js";
import { SOLID } from "./looks.js";
import { canvas, color, draggable, line } from "./ui.js";

const SIDE = 2.2, // where the axis ends, both ways
  STEEP = 1.75, // where the drawing of the potential ends
  TALLEST = 1.25, // the density that reaches across a panel
  MARGIN = 12,
  AXIS = 36;
const PANELS = { future: [0, 0.4], well: [0.4, 0.6], past: [0.6, 1] }; // of the height
const EXACT = { ink: "text", dash: SOLID, width: 2.5 };
const FINE = { ink: "grid-strong", dash: SOLID, width: 1 };

/** Bars of two cells each, so that a few hundred samples make a shape. */
const paired = (parts) => parts.map((_, i) => (parts[i - (i % 2)] + parts[i - (i % 2) + 1]) / 2);

/** Fill what the points enclose. */
function area(context, points, ink, alpha = 1) {
  context.beginPath();
  for (const point of points) context.lineTo(...point);
  context.globalAlpha = alpha;
  context.fillStyle = color(ink);
  context.fill();
  context.globalAlpha = 1;
}

/**
 * A picture whose particle can be dragged: `moved` hears where to. `scene()` tells what there is:
 * the place q, its law or null, and of each model a pen and the samples ahead and back, or none.
 */
export function wellPicture(well, label, scene, moved) {
  const width = (2 * well.edge) / well.stationary.length;
  const border = (i) => i * width - well.edge;
  const half = (size) => size / 2 - MARGIN;

  /** Densities ahead or back: `x` and `y` say where a place and a density lie in the panel. */
  function densities(context, x, y, law, models) {
    for (const { pen, values } of models) {
      if (values?.length === 1) {
        const at = x(Math.min(Math.max(values[0], -SIDE), SIDE));
        const [low, middle, high] = [0.82, 0.87, 0.92].map((share) => y(share * TALLEST));
        const diamond = [
          [at, low],
          [at + 7, middle],
          [at, high],
          [at - 7, middle],
        ];
        line(context, [[at, y(0)], diamond[0]], { ...pen, width: 3 });
        area(context, diamond, pen.ink);
      } else if (values) {
        const bars = paired(shares(values, well)).flatMap((share, i) => [
          [x(border(i)), y(share / width)],
          [x(border(i + 1)), y(share / width)],
        ]);
        area(context, [[bars[0][0], y(0)], ...bars, [bars.at(-1)[0], y(0)]], pen.ink, 0.25);
        line(context, bars, { ...pen, width: 1.5 });
      }
    }
    const exact = law?.map((share, i) => [x(border(i + 0.5)), y(share / width)]);
    if (exact) line(context, exact, EXACT);
  }

  function draw(context, size, height) {
    context.clearRect(0, 0, size, height);
    const { q, law, models } = scene();
    const across = height - AXIS;
    const x = (place) => size / 2 + (place / SIDE) * half(size);
    const level = (at) => [
      [MARGIN, at],
      [size - MARGIN, at],
    ];
    context.font = "13px sans-serif";
    line(
      context,
      [
        [x(q), 0],
        [x(q), across],
      ],
      { ...FINE, dash: [2, 4] },
    );

    for (const [i, way] of ["future", "past"].entries()) {
      const [top, bottom] = PANELS[way].map((share) => share * across);
      const [base, end] = i ? [top, bottom] : [bottom, top];
      context.save();
      context.beginPath();
      context.rect(MARGIN, top, size - 2 * MARGIN, bottom - top);
      context.clip();
      const values = models.map(({ pen, samples }) => ({ pen, values: samples?.[i] }));
      densities(context, x, (density) => base + (density / TALLEST) * (end - base), law, values);
      context.restore();
      line(context, level(base), FINE);
      context.fillStyle = color("text");
      context.textAlign = "left";
      const name = `${way}: q(t ${i ? "−" : "+"} ${well.time})`;
      context.fillText(name, MARGIN, i ? bottom - 8 : top + 16);
    }

    const [top, bottom] = PANELS.well.map((share) => share * across);
    const rise = (bottom - top - 26) / (potential(STEEP) - potential(1));
    const y = (place) => bottom - 8 - rise * (potential(place) - potential(1));
    const curve = Array.from({ length: 141 }, (_, i) => STEEP * (i / 70 - 1));
    line(
      context,
      curve.map((place) => [x(place), y(place)]),
      { ...EXACT, width: 2 },
    );
    context.beginPath();
    context.arc(x(q), y(Math.min(Math.max(q, -STEEP), STEEP)) - 8, 8, 0, 7);
    context.fillStyle = color("warning");
    context.fill();

    context.fillStyle = color("text");
    context.textAlign = "center";
    for (const tick of [-2, -1, 0, 1, 2])
      context.fillText(String(tick).replace("-", "−"), x(tick), across + 16);
    context.fillText("q", x(0), height - 4);
  }

  const plot = canvas({ class: "demo-plot demo-tall", role: "img", "aria-label": label }, draw);
  draggable(plot.element, (at, size) => moved(((at - size / 2) / half(size)) * SIDE));
  return plot;
}
