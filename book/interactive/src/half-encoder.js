// The encoder of half digits, off the page's own thread.
import { jit, lax, numpy as np, tree } from "@jax-js/jax";
import { convEncoder } from "./method.js";

const MEAN = 0.1307,
  STD = 0.3081;

const embed = jit((p, x) => convEncoder(p, lax.convGeneralDilated, x));

/** Pixels in 0..1 of so many halves to their embeddings, (count, 64). */
export function embedded(encoder, pixels, count) {
  const x = np.array(Float32Array.from(pixels, (v) => (v - MEAN) / STD));
  return embed(tree.ref(encoder), x.reshape([count, 1, 28, 14]));
}
