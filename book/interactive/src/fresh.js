// Fresh weights, drawn as PyTorch draws them, and keys that depend on nothing that came before.
import { random } from "@jax-js/jax";

/** A key of its own for each (seed, purpose, index). */
export function key(seed, purpose, index = 0) {
  const mixed = (seed * 0x9e3779b1 + purpose * 0x85ebca6b + index * 0xc2b2ae35) >>> 0;
  return random.key(mixed);
}

/** Weights of wanted shapes as Float32Arrays by name; the target is a copy. */
export function freshWeights(seed, wanted) {
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
