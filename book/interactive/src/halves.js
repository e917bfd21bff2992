// Half digits as the pads show them: pictures of them, and the share of each digit.
import { h } from "./ui.js";

export const ROWS = 28,
  COLUMNS = 14,
  PIXELS = ROWS * COLUMNS;

const stamp = Object.assign(document.createElement("canvas"), { width: 2 * COLUMNS, height: ROWS });

export const gray = (value) => Array(3).fill(Math.round(255 * value));

/** Paint halves, each 28 x 14 in 0..1, side by side as one picture; what is missing stays open. */
export function paint(context, width, height, halves, inks = [gray, gray]) {
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

/** The given half and the missing one, in the order in which they are seen. */
export const inOrder = (given, half, missing) =>
  given === "left" ? [half, missing] : [missing, half];

/** One of many images that lie end to end, a byte a pixel. */
export const half = (images, side, row) =>
  Float32Array.from(images[side].subarray(row * PIXELS, (row + 1) * PIXELS), (v) => v / 255);

/** The digit with the largest of ten scores. */
export const likeliest = (scores) => scores.indexOf(Math.max(...scores));

/** Bars for the ten digits; `show` takes the share of each. */
export function digitBars(label) {
  const bars = Array.from({ length: 10 }, (_, i) => {
    const fill = h("span", { class: "demo-bar" }),
      text = h("span", { class: "demo-share" });
    const track = h("span", { class: "demo-track" }, fill);
    return { row: h("li", {}, h("span", {}, String(i)), track, text), fill, text };
  });
  const rows = bars.map((one) => one.row);
  return {
    element: h("ul", { class: "demo-bars", "aria-label": label }, ...rows),
    show(shares) {
      bars.forEach(({ fill, text }, i) => {
        fill.style.width = `${100 * shares[i]}%`;
        text.textContent = `${Math.round(100 * shares[i])} %`;
      });
    },
  };
}
