// Experiment 1 in the browser: noisy sine waves, and fresh weights for the paper's sizes.
import { jit, numpy as np, random } from "@jax-js/jax";
import { shapes } from "./method.js";
import { RELATIVES } from "./relatives.js";

export const CONTEXT = 10,
  BATCH = 64,
  WIDTHS = [10, 64, 64, 16],
  EMBEDDING = 16,
  HIDDEN = 64;
const LENGTH = 20,
  BLOCK = 64,
  SPACING = (4 * Math.PI) / 19;

/** A key of its own for each (seed, purpose, index), so that nothing depends on what came before. */
function key(seed, purpose, index = 0) {
  const mixed = (seed * 0x9e3779b1 + purpose * 0x85ebca6b + index * 0xc2b2ae35) >>> 0;
  return random.key(mixed);
}

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

/** Fresh weights as Float32Arrays by name, drawn as PyTorch draws them; the target is a copy. */
export function freshWeights(seed, settings) {
  const { method, alpha, layerNorm } = settings;
  const relative = RELATIVES[method];
  const predictor = (name) => shapes(name, [EMBEDDING, HIDDEN, EMBEDDING], layerNorm);
  const width = relative?.draws ? CONTEXT : EMBEDDING;
  const wanted = {
    ...shapes("online", WIDTHS, layerNorm),
    ...(relative ? shapes("forward_predictor", [EMBEDDING, HIDDEN, width], false) : {}),
    ...(!relative && alpha > 0 ? predictor("forward_predictor") : {}),
    ...(!relative && alpha < 1 ? predictor("backward_predictor") : {}),
  };
  const found = {};
  let index = 0,
    bound = 1;
  for (const [name, shape] of Object.entries(wanted)) {
    const size = shape.reduce((a, b) => a * b, 1);
    const next = wanted[name.replace(/weight$/, "bias")];
    const gain = name.endsWith("weight") && shape.length === 1;
    const shift = name.endsWith("bias") && wanted[name.replace(/bias$/, "weight")].length === 1;
    if (gain || shift) {
      found[name] = { shape, data: new Float32Array(size).fill(gain ? 1 : 0) };
      continue;
    }
    if (shape.length === 2 && next) bound = 1 / Math.sqrt(shape[1]);
    const drawn = random.uniform(key(seed, 90, index++), shape, { minval: -bound, maxval: bound });
    found[name] = { shape, data: drawn.dataSync().slice() };
  }
  for (const name of Object.keys(found)) {
    if (name.startsWith("online")) found[name.replace("online", "target")] = found[name];
  }
  return found;
}
