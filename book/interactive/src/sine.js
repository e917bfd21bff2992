// Experiment 1 in the browser: noisy sine waves, and the paper's sizes.
import { jit, numpy as np, random } from "@jax-js/jax";
import { key } from "./fresh.js";

export const CONTEXT = 10,
  BATCH = 64,
  WIDTHS = [10, 64, 64, 16],
  EMBEDDING = 16,
  HIDDEN = 64,
  LENGTH = 20;
const BLOCK = 64,
  SPACING = (4 * Math.PI) / 19;

const drawWaves = jit((one, two, three) => {
  const rows = BLOCK * BATCH;
  const frequency = random.uniform(one, [rows, 1], { minval: 0.8, maxval: 1.2 });
  const phase = random.uniform(two, [rows, 1], { minval: 0, maxval: 2 * Math.PI });
  const grid = np.multiply(np.arange(LENGTH).astype(np.float32), SPACING);
  const noise = np.multiply(random.normal(three, [rows, LENGTH]), 0.05);
  return np.add(np.sin(np.add(np.multiply(frequency, grid), phase)), noise);
});

/** 4,096 waves as one Float32Array, (waves, 20). */
export function waves(seed, purpose, index = 0) {
  const keys = [1, 2, 3].map((part) => key(seed, 10 * purpose + part, index));
  return drawWaves(...keys).dataSync();
}

/** Contexts and targets of `count` waves from the `start`-th on, each (count, 10). */
export function views(drawn, start, count) {
  const x = new Float32Array(count * CONTEXT),
    y = new Float32Array(count * CONTEXT);
  for (let i = 0; i < count; i += 1) {
    const from = (start + i) * LENGTH;
    x.set(drawn.subarray(from, from + CONTEXT), i * CONTEXT);
    y.set(drawn.subarray(from + CONTEXT, from + LENGTH), i * CONTEXT);
  }
  return [x, y];
}

/** The training batches of a seed: a function of the step. */
export function batches(seed) {
  let block = -1,
    drawn = null;
  return (step) => {
    const wanted = Math.floor(step / BLOCK);
    if (wanted !== block) [block, drawn] = [wanted, waves(seed, 1, wanted)];
    return views(drawn, (step % BLOCK) * BATCH, BATCH);
  };
}
