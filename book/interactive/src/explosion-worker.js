// Trains BiJEPA on sine waves, off the page's own thread, and tells how it goes.
import { numpy as np, tree } from "@jax-js/jax";
import { Matrix, SVD } from "ml-matrix";
import { freshWeights } from "./fresh.js";
import { norm, relativeLoss, variance } from "./measures.js";
import { encode, losses, mlp } from "./method.js";
import { reader } from "./readout.js";
import { serve } from "./serve.js";
import { BATCH, batches, CONTEXT, EMBEDDING, HIDDEN, views, WIDTHS, waves } from "./sine.js";
import { Run, Slices } from "./training.js";

const EVERY = 20; // steps between two rows of diagnostics, as in the core
const FITTED = 256; // waves that the reader of forecasts is fitted on; one more is drawn

const batch = (data) => np.array(data).reshape([-1, CONTEXT]);

/** A run on waves. */
class WaveRun extends Run {
  constructor(settings, weights) {
    super(settings, weights);
    this.look = this.quick((online, target, x, y) => losses(online, target, settings, x, y)[1]);
    this.features = this.quick((online, _, x) => {
      const s = encode(tree.ref(online), "online", settings, x);
      if (settings.alpha === 0) return s; // no forward predictor: Protocol A stands in
      return mlp(online, "forward_predictor", 1, settings.layerNorm, s);
    });
  }

  /** One step on a batch; returns [forward, backward], null for a direction not in use. */
  learn([x, y]) {
    const seen = this.advance(batch(x), batch(y));
    const terms = ["forward", "backward"].map((name) => seen[name]?.ref.dataSync()[0] ?? null);
    tree.dispose(seen);
    return terms;
  }

  /** Where the model stands, seen on one batch: loss, and what the core's History has beside it. */
  diagnose([x, y]) {
    const seen = this.look(batch(x), batch(y));
    const plain = Object.fromEntries(Object.entries(seen).map(([k, v]) => [k, v.dataSync()]));
    const goals = { forward: plain.goal, backward: plain.mirror ?? plain.goal };
    const used = ["forward", "backward"].filter((name) => plain[name]);
    const mean = (values) => values.reduce((a, b) => a + b) / values.length;
    return {
      loss: mean(used.map((name) => plain[name][0])),
      relative: mean(used.map((name) => relativeLoss(plain[name][0], goals[name], EMBEDDING))),
      norm: norm(plain.s, EMBEDDING),
      variance: variance(plain.s, EMBEDDING),
      rank: effectiveRank(plain.s),
    };
  }

  /** The rest of a wave, read off the forward prediction by least squares. */
  forecasts(seed) {
    const [x, y] = views(waves(seed, 2), 0, FITTED + 1);
    const out = this.features(batch(x)).dataSync();
    if (!out.every(Number.isFinite)) return null;
    const [fitted, last] = [FITTED * EMBEDDING, FITTED * CONTEXT];
    const read = reader(out.subarray(0, fitted), EMBEDDING, y.subarray(0, last), CONTEXT);
    const drawn = read(out.subarray(fitted));
    return { context: [...x.subarray(last)], truth: [...y.subarray(last)], drawn: drawn[0] };
  }
}

/** The exponential of the entropy of the normalized singular values. */
function effectiveRank(s) {
  if (!s.every(Number.isFinite)) return NaN;
  const values = new SVD(Matrix.from1DArray(BATCH, EMBEDDING, [...s]), {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
  }).diagonal;
  const sum = Math.max(
    values.reduce((a, b) => a + b, 0),
    Number.MIN_VALUE,
  );
  const entropy = values.map((v) => v / sum).reduce((h, p) => h - (p > 0 ? p * Math.log(p) : 0), 0);
  return Math.exp(entropy);
}

let run = null;
const slices = new Slices();

/** Say where the run has stopped: all numbers of the same model, on the batch that comes next. */
function finish() {
  const { step } = run;
  postMessage({ kind: "done", step, row: { step, ...run.diagnose(run.stream(step)) } });
}

/** Train until `end`. */
async function go({ end, seed }) {
  let found = [],
    rows = [],
    lost = false;
  const learn = () => {
    const { step } = run,
      pair = run.stream(step);
    if (step % EVERY === 0) rows.push({ step, ...run.diagnose(pair) });
    const used = run.learn(pair).filter((term) => term !== null);
    const loss = used.reduce((a, b) => a + b, 0) / used.length;
    found.push([step, loss]);
    lost = !Number.isFinite(loss);
    return !lost && run.step < end;
  };
  const tell = (rate) => {
    const { step } = run;
    const news = !lost && (rows.length || step === end);
    const forecasts = news ? run.forecasts(seed) : undefined;
    postMessage({ kind: "progress", found, rows, step, rate, forecasts });
    [found, rows] = [[], []];
    if (lost) postMessage({ kind: "diverged", step: step - 1 });
  };
  if ((await slices.go(learn, tell)) && !lost) finish();
}

const answers = {
  start({ settings, seed, end }) {
    run?.dispose();
    run = new WaveRun(settings, freshWeights(seed, settings, WIDTHS, HIDDEN));
    run.stream = batches(seed);
    return go({ end, seed });
  },
  pause() {
    slices.stop();
    finish();
  },
  go,
  step({ seed }) {
    slices.stop();
    return go({ end: run.step + 1, seed });
  },
  /** The core's weights and batches: the losses of as many steps, for comparison. */
  compare({ settings, weights, pairs, id }) {
    slices.stop();
    const one = new WaveRun(settings, weights);
    const terms = pairs.map(([x, y]) => one.learn([Float32Array.from(x), Float32Array.from(y)]));
    one.dispose();
    postMessage({ kind: "compared", id, terms });
  },
};

serve(answers);
