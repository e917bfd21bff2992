// Draws many completions of half a digit, one for each z, off the page's own thread.
import { jit, nn, numpy as np, tree } from "@jax-js/jax";
import { embedded } from "./half-encoder.js";
import { decoder, probe, samples } from "./method.js";
import { serve, tensor, tensors } from "./serve.js";
import { unpack } from "./weights.js";

const WAYS = { left: "forward", right: "backward" }; // by the half that is given
const SHAPE = [-1, 28, 14];
let weights = null;

/** Embeddings of the missing half, one for each z, and their mean behind them. */
const imagine = Object.fromEntries(
  Object.values(WAYS).map((way) => [
    way,
    jit((p, s, z) => {
      const found = samples(p, `${way}_predictor`, true, s, z);
      const mean = np.mean(found.ref, 0, { keepdims: true });
      return np.concatenate([found, mean], 0).reshape([-1, s.shape[1]]);
    }),
  ]),
);

/** What embeddings look like, each (28, 14) in 0..1; the decoder reads standardized ones. */
const draw = Object.fromEntries(
  Object.values(WAYS).map((way) => [
    way,
    jit((p, s) => {
      const name = `decoder.${way}`;
      const { [`${name}.center`]: center, [`${name}.scale`]: scale, ...rest } = p;
      return decoder(rest, name, np.divide(np.subtract(s, center), scale)).reshape(SHAPE);
    }),
  ]),
);

/** Scores of the ten digits for whole ones. */
const judge = jit((p, left, right) => {
  const whole = np.concatenate([left, right], 2).reshape([-1, 28 * 28]);
  return probe(p, "classifier.2", nn.relu(probe(p, "classifier.0", whole)));
});

/** An encoder is one for both halves, but for the statistics of right ones. */
function encoder(all, side) {
  const own = Object.entries(all)
    .filter(([name]) => name.startsWith(`${side}.`))
    .map(([name, one]) => [name.replace(side, "online"), one]);
  return tensors({ ...all, ...Object.fromEntries(own) }, "online");
}

const answers = {
  load({ packed }) {
    const all = unpack(packed);
    weights = { classifier: tensors(all, "classifier") };
    for (const [side, way] of Object.entries(WAYS)) {
      weights[side] = encoder(all, side);
      for (const name of [`${way}_predictor`, `decoder.${way}`]) weights[name] = tensors(all, name);
    }
    postMessage({ kind: "loaded" });
  },
  /** `noise` is (count, width), end to end: drawings, the mean's behind them, and scores of each. */
  complete({ id, given, pixels, noise, count }) {
    const way = WAYS[given];
    const z = tensor({ data: noise, shape: [count, 1, noise.length / count] });
    const s = embedded(weights[given], pixels, 1);
    const found = imagine[way](tree.ref(weights[`${way}_predictor`]), s, z);
    const drawn = draw[way](tree.ref(weights[`decoder.${way}`]), found);
    const half = tensor({ data: Float32Array.from(pixels), shape: [1, 28, 14] });
    const [left, right] = [np.broadcastTo(half, [count + 1, 28, 14]), drawn.ref];
    const sides = given === "left" ? [left, right] : [right, left];
    const scores = judge(tree.ref(weights.classifier), ...sides).dataSync();
    postMessage({ kind: "completed", id, drawn: drawn.dataSync(), scores });
  },
};

serve(answers);
