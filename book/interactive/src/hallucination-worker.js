// Completes halves of digits with the trained model, off the page's own thread.
import { jit, nn, tree } from "@jax-js/jax";
import { embedded } from "./half-encoder.js";
import { decoder, mlp, probe } from "./method.js";
import { serve, tensors } from "./serve.js";
import { bytes, unpack } from "./weights.js";

const PIXELS = 392,
  WIDTH = 64,
  NEAREST = 32,
  AT_ONCE = 8;
/** What each way is given, and which predictor its embedding passes, if any. */
const WAYS = {
  encoder: { given: "left", predictor: null },
  forward: { given: "left", predictor: "forward_predictor" },
  backward: { given: "right", predictor: "backward_predictor" },
};
let weights = null;
const banks = {}; // by way, the features of the training images, (images, 64)

const tools = Object.fromEntries(
  Object.entries(WAYS).map(([way, { predictor }]) => [
    way,
    {
      predict: predictor && jit((p, s) => mlp(p, predictor, 1, true, s)),
      draw: jit((p, s) => decoder(p, `decoder.${way}`, s)),
      classify: jit((p, s) => nn.softmax(probe(p, `probe.${way}`, s), -1)),
    },
  ]),
);

/** Embeddings to features, as the way has them. */
function features(way, s) {
  const { predictor } = WAYS[way];
  return predictor ? tools[way].predict(tree.ref(weights[predictor]), s) : s;
}

/** The rows of the bank nearest to one, the nearest first. */
function nearest(one, bank, count) {
  const found = []; // at most `count` pairs of distance and row, in order
  for (let row = 0; row < bank.length / WIDTH; row += 1) {
    let gap = 0;
    for (let k = 0; k < WIDTH; k += 1) gap += (bank[row * WIDTH + k] - one[k]) ** 2;
    if (found.length === count && gap >= found[count - 1][0]) continue;
    const place = found.findIndex(([other]) => gap < other);
    found.splice(place < 0 ? found.length : place, 0, [gap, row]);
    found.length = Math.min(found.length, count);
  }
  return found.map(([, row]) => row);
}

const answers = {
  load({ packed }) {
    const all = unpack(packed);
    const of = (prefix) => tensors(all, prefix);
    weights = { online: of("online") };
    for (const [way, { predictor }] of Object.entries(WAYS)) {
      if (predictor) weights[predictor] = of(predictor);
      weights[`decoder.${way}`] = of(`decoder.${way}`);
      weights[`probe.${way}`] = of(`probe.${way}`);
    }
    postMessage({ kind: "loaded" });
  },
  /** Embed the training images, a few at a time, so that drawing is heard meanwhile. */
  async bank({ left, right }) {
    for (const [side, text] of Object.entries({ left, right })) {
      const source = bytes(text),
        count = source.length / PIXELS;
      const ways = Object.keys(WAYS).filter((way) => WAYS[way].given === side);
      const found = Object.fromEntries(ways.map((way) => [way, new Float32Array(count * WIDTH)]));
      for (let i = 0; i + AT_ONCE <= count; i += AT_ONCE) {
        const part = source.subarray(i * PIXELS, (i + AT_ONCE) * PIXELS);
        const s = embedded(
          weights.online,
          Float32Array.from(part, (v) => v / 255),
          AT_ONCE,
        );
        for (const way of ways) found[way].set(features(way, s.ref).dataSync(), i * WIDTH);
        s.dispose();
        postMessage({ kind: "progress" });
        await new Promise((next) => {
          setTimeout(next, 0);
        });
      }
      Object.assign(banks, found);
    }
    postMessage({ kind: "banked" });
  },
  complete({ id, given, pixels }) {
    const found = {},
      embedding = embedded(weights.online, pixels, 1);
    for (const [way, { given: side }] of Object.entries(WAYS)) {
      if (side !== given) continue;
      const s = features(way, embedding.ref);
      found[way] = {
        drawn: tools[way]
          .draw(tree.ref(weights[`decoder.${way}`]), s.ref)
          .dataSync()
          .slice(),
        shares: [...tools[way].classify(tree.ref(weights[`probe.${way}`]), s.ref).dataSync()],
        nearest: banks[way] ? nearest(s.ref.dataSync(), banks[way], NEAREST) : [],
      };
      s.dispose();
    }
    embedding.dispose();
    postMessage({ kind: "completed", id, found });
  },
};

serve(answers);
