// What the trained model makes of one window of the Lorenz system.
import { jit, numpy as np, tree } from "@jax-js/jax";
import { encode, mlp, probe } from "./method.js";
import { serve, tensors } from "./serve.js";
import { unpack } from "./weights.js";

const SETTINGS = { layerNorm: true, sphere: false };
let parts = null;

const embed = jit((p, window) => encode(p, "online", SETTINGS, window));
const onward = {
  forward: jit((p, s) => mlp(p, "forward_predictor", 1, true, s)),
  backward: jit((p, s) => mlp(p, "backward_predictor", 1, true, s)),
};
const read = jit((p, s) => probe(p, "reader", s));

/** A model's parts out of all weights, their names below a prefix. */
const model = (all, prefix) =>
  Object.fromEntries(
    [
      ["online", "online"],
      ["forward", "forward_predictor"],
      ["backward", "backward_predictor"],
      ["reader", "reader"],
    ].map(([part, name]) => [
      part,
      Object.fromEntries(
        Object.entries(tensors(all, prefix + name)).map(([key, one]) => [
          key.slice(prefix.length),
          one,
        ]),
      ),
    ]),
  );

const answers = {
  load({ packed }) {
    const all = unpack(packed);
    parts = {
      ours: model(all, ""),
      classic: model(all, "classic."),
      mean: all.mean.data[0],
      std: all.std.data[0],
    };
    postMessage({ kind: "loaded" });
  },
  /** Windows ahead and back of 60 numbers in the system's units, the nearest first. */
  guess({ id, window, ahead, back }) {
    const { mean, std } = parts;
    const x = np.array(Float32Array.from(window, (v) => (v - mean) / std)).reshape([1, 60]);
    const follow = (of, way, count) => {
      const found = [];
      let state = embed(tree.ref(parts[of].online), x.ref);
      for (let i = 0; i < count; i += 1) {
        state = onward[way](tree.ref(parts[of][way]), state);
        const values = read(tree.ref(parts[of].reader), state.ref).dataSync();
        found.push(Array.from(values, (v) => v * std + mean));
      }
      state.dispose();
      return found;
    };
    const found = {
      ahead: follow("ours", "forward", ahead),
      back: follow("ours", "backward", back),
      classic: follow("classic", "forward", ahead),
    };
    x.dispose();
    postMessage({ kind: "guessed", id, ...found });
  },
};

serve(answers);
