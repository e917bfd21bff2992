// What the workers share: they wait for jax-js, answer by kind, and say what went wrong.
import { defaultDevice, init, numpy as np } from "@jax-js/jax";

/** Answer messages by their `kind`; an error becomes a sentence for the page. */
export function serve(answers) {
  const failed = (error) => postMessage({ kind: "failed", message: error.message });
  const ready = init("wasm").then(() => defaultDevice("wasm"));
  ready.catch(failed); // at once, not when the first question comes
  globalThis.onmessage = ({ data }) => ready.then(() => answers[data.kind](data)).catch(failed);
}

/** Values with a shape as a tensor. */
export const tensor = ({ data, shape }) => np.array(data.slice()).reshape(shape);

/** Those unpacked weights whose names begin alike, as tensors. */
export const tensors = (unpacked, prefix) =>
  Object.fromEntries(
    Object.entries(unpacked)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, one]) => [name, tensor(one)]),
  );
