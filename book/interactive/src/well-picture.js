// The picture of the double well: the particle on its potential, its futures above, its pasts below.
import { potential, shares } from "./double-well.js";
import { SOLID } from "./looks.js";
import { canvas, color, draggable, line } from "./ui.js";

const SIDE = 2.2, // the axis ends here
  TALLEST = 1.25, // the density that reaches across a panel
  MARGIN = 12,
  AXIS = 36;
const PANELS = { future: [0, 0.4], well: [0.4, 0.6], past: [0.6, 1] }; // of the height
const FINE = { ink: "grid-strong", dash: SOLID, width: 1 };

/**
 * A picture whose particle can be dragged: `moved` hears where to. `scene()` tells what there is:
 * the place q, its law or null, and of each model a pen and the samples ahead and back, or null.
 */
export function wellPicture(well, label, scene, moved) {
  const count = well.stationary.length,
    width = (2 * well.edge) / count;
  const across = (q, size) => size / 2 + (q / SIDE) * (size / 2 - MARGIN);

  /** The outline of a density, from a base line in a direction: -1 is up. */
  const outline = (parts, x, base, unit) =>
    parts.flatMap((part, i) => {
      const left = i * width - well.edge,
        y = base + (unit * part) / width;
      return left < -SIDE || left + width > SIDE + 1e-9
        ? []
        : [
            [x(left), y],
            [x(left + width), y],
          ];
    });

  function panel(context, [top, bottom], up, name, parts, x, size) {
    const [base, unit] = up ? [bottom, top - bottom] : [top, bottom - top];
    const scale = unit / TALLEST;
    for (const { pen, values } of parts.models) {
      if (!values) continue;
      if (values.length === 1) {
        const at = x(Math.min(Math.max(values[0], -SIDE), SIDE));
        line(
          context,
          [
            [at, base],
            [at, base + 0.82 * unit],
          ],
          { ...pen, width: 3 },
        );
        context.beginPath();
        for (const [dx, dy] of [
          [0, 0.82],
          [7, 0.87],
          [0, 0.92],
          [-7, 0.87],
        ])
          context.lineTo(at + dx, base + dy * unit);
        context.fillStyle = color(pen.ink);
        context.fill();
        continue;
      }
      const points = outline(paired(shares(values, well)), x, base, scale);
      context.beginPath();
      context.moveTo(points[0][0], base);
      for (const point of points) context.lineTo(...point);
      context.lineTo(points.at(-1)[0], base);
      context.globalAlpha = 0.25;
      context.fillStyle = color(pen.ink);
      context.fill();
      context.globalAlpha = 1;
      line(context, points, { ...pen, width: 1.5 });
    }
    if (parts.law) {
      const smooth = parts.law.map((part, i) => [
        x((i + 0.5) * width - well.edge),
        base + (scale * part) / width,
      ]);
      const inside = smooth.filter(([at]) => at >= MARGIN && at <= size - MARGIN);
      line(context, inside, { ink: "text", dash: SOLID, width: 2.5 });
    }
    line(
      context,
      [
        [MARGIN, base],
        [size - MARGIN, base],
      ],
      FINE,
    );
    context.fillStyle = color("text");
    context.textAlign = "left";
    context.fillText(name, MARGIN, up ? top + 16 : bottom - 8);
  }

  function draw(context, size, height) {
    context.clearRect(0, 0, size, height);
    const { q, law, models } = scene();
    const x = (place) => across(place, size);
    const rows = Object.fromEntries(
      Object.entries(PANELS).map(([name, ends]) => [
        name,
        ends.map((end) => end * (height - AXIS)),
      ]),
    );
    context.font = "13px sans-serif";
    line(
      context,
      [
        [x(q), 0],
        [x(q), height - AXIS],
      ],
      { ink: "grid-strong", dash: [2, 4], width: 1 },
    );
    const parts = (way) => ({
      law,
      models: models.map(({ pen, samples }) => ({ pen, values: samples?.[way] })),
    });
    const time = well.time.toString();
    panel(context, rows.future, true, `future: q(t + ${time})`, parts(0), x, size);
    panel(context, rows.past, false, `past: q(t − ${time})`, parts(1), x, size);

    const [top, bottom] = rows.well;
    const floor = potential(1),
      rise = (bottom - top - 26) / (potential(1.75) - floor);
    const y = (place) => bottom - 8 - rise * (potential(place) - floor);
    const curve = Array.from({ length: 141 }, (_, i) => (i / 70 - 1) * 1.75);
    line(
      context,
      curve.map((place) => [x(place), y(place)]),
      { ink: "text", dash: SOLID, width: 2 },
    );
    context.beginPath();
    context.arc(x(q), y(Math.min(Math.max(q, -1.75), 1.75)) - 8, 8, 0, 7);
    context.fillStyle = color("accent");
    context.fill();
    line(context, [], { ink: "text", dash: SOLID, width: 1 });

    context.fillStyle = color("text");
    context.textAlign = "center";
    for (const tick of [-2, -1, 0, 1, 2])
      context.fillText(String(tick).replace("-", "−"), x(tick), height - AXIS + 16);
    context.fillText("q", x(0), height - 4);
    context.textAlign = "left";
    context.fillText("now", x(q) + 12, top + 14);
  }

  const plot = canvas({ class: "demo-plot demo-tall", role: "img", "aria-label": label }, draw);
  draggable(plot.element, (at, size) => moved(((at - size / 2) / (size / 2 - MARGIN)) * SIDE));
  return plot;
}

/** Bars of two cells each, so that a few hundred samples make a shape. */
const paired = (parts) => parts.map((_, i) => (parts[i - (i % 2)] + parts[i - (i % 2) + 1]) / 2);
