// A particle in the double well of bijepa_book.evidence.futures.well, and the score of a forecast.
//
// `well` is what tools/demo_data.py hands over: the constants, and laws on a grid of cells.
import { normals } from "./random.js";

/** The potential whose slope pulls. */
export const potential = (q) => q ** 4 / 4 - q ** 2 / 2;

/** The middles of the cells. */
export const middles = ({ edge, stationary: { length } }) =>
  Array.from({ length }, (_, i) => edge * ((2 * i + 1) / length - 1));

/** Places that follow the stationary law, uniform within a cell. */
export function places(count, well, uniform) {
  const { edge, stationary } = well,
    width = (2 * edge) / stationary.length;
  return Float32Array.from({ length: count }, () => {
    let level = uniform(),
      cell = 0;
    while (cell < stationary.length - 1 && level > stationary[cell]) {
      level -= stationary[cell];
      cell += 1;
    }
    return width * (cell + uniform()) - edge;
  });
}

/** Where particles are, and where they are a time later (Euler and Maruyama). */
export function pairs(count, well, uniform) {
  const { sigma, time, dt } = well;
  const x = places(count, well, uniform),
    y = x.slice();
  for (let step = 0; step < Math.round(time / dt); step += 1) {
    const kicks = normals(count, uniform);
    for (let i = 0; i < count; i += 1)
      y[i] += dt * (y[i] - y[i] ** 3) + sigma * Math.sqrt(dt) * kicks[i];
  }
  return [x, y];
}

/** The share of values in each of the grid's cells; what lies beyond counts at its ends. */
export function shares(values, { edge, stationary: { length } }) {
  const found = Array(length).fill(0);
  for (const value of values) {
    const cell = Math.floor(((value + edge) / (2 * edge)) * length);
    found[Math.min(Math.max(cell, 0), length - 1)] += 1 / values.length;
  }
  return found;
}

/** Half the mean distance between two values, each pair once: from their order. */
function halfApart(values) {
  const [sorted, count] = [Float64Array.from(values).sort(), values.length];
  const sum = sorted.reduce((total, value, i) => total + (2 * i + 1 - count) * value, 0);
  return count > 1 ? sum / (count * (count - 1)) : 0;
}

/**
 * The continuous ranked probability score that samples can expect where the truth follows a law;
 * it does not depend on how many they are. A single one counts as certain.
 */
export function expectedScore(values, law, cells) {
  let missed = 0;
  for (const value of values)
    for (let j = 0; j < cells.length; j += 1) missed += law[j] * Math.abs(value - cells[j]);
  return missed / values.length - halfApart(values);
}

/** The same of the law itself: no forecast can expect less. */
export function leastScore(law, cells) {
  let sum = 0;
  for (let i = 0; i < law.length; i += 1)
    for (let j = 0; j < i; j += 1) sum += law[i] * law[j] * (cells[i] - cells[j]);
  return sum;
}
