// Trains BiJEPA, or a relative, on sine waves, off the page's own thread, and tells how it goes.
import { numpy as np, tree } from "@jax-js/jax";
import { Matrix, SVD } from "ml-matrix";
import { freshWeights } from "./fresh.js";
import { norm, relativeLoss, variance } from "./measures.js";
import { encode, losses, mlp, modelShapes } from "./method.js";
import { reader } from "./readout.js";
import { RELATIVES, relativeShapes } from "./relatives.js";
import { serve } from "./serve.js";
import {
  BATCH,
  batches,
  CONTEXT,
  EMBEDDING,
  HIDDEN,
  LENGTH,
  views,
  WIDTHS,
  waves,
} from "./sine.js";
import { Run, Slices } from "./training.js";

const EVERY = 20; // steps between two rows of diagnostics, as in the core
const FITTED = 256; // waves that a reader is fitted on
const UNSEEN = 256; // that it is then judged on; the first of them is drawn

const batch = (data) => np.array(data).reshape([-1, CONTEXT]);
const mean = (values) => values.reduce((a, b) => a + b) / values.length;
/** Rows of the waves that a reader is fitted on, and of those that it is judged on. */
const halves = (rows, width) => [
  rows.subarray(0, FITTED * width),
  rows.subarray(FITTED * width, (FITTED + UNSEEN) * width),
];

/** What least squares, fitted on the first waves, reads off features of the others. */
function read(features, truth, width) {
  const [fitted, others] = halves(features, EMBEDDING);
  return reader(fitted, EMBEDDING, halves(truth, width)[0], width)(others);
}

/** A run on waves; `unseen` are waves that it never trains on. */
class WaveRun extends Run {
  constructor(settings, weights) {
    const loss = RELATIVES[settings.method]?.loss ?? losses;
    super(settings, weights, loss);
    this.look = this.quick((online, target, x, y) => loss(online, target, settings, x, y)[1]);
    this.predicts = loss === losses && settings.alpha > 0; // else the embedding stands in for it
    this.features = this.quick((online, _, x) => {
      const s = encode(tree.ref(online), "online", settings, x);
      if (!this.predicts) return [s];
      return [s.ref, mlp(online, "forward_predictor", 1, settings.layerNorm, s)];
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
    const relative = (name) =>
      relativeLoss(plain[name][0], goals[name], goals[name].length / BATCH);
    return {
      loss: mean(used.map((name) => plain[name][0])),
      relative: plain.goal ? mean(used.map(relative)) : null, // nothing is a target there
      norm: norm(plain.s, EMBEDDING),
      variance: variance(plain.s, EMBEDDING),
      rank: effectiveRank(plain.s),
    };
  }

  /** What can be read: the rest of a wave, and errors on unseen waves, off the embedding of x. */
  readings() {
    const [x, y] = views(this.unseen, 0, FITTED + UNSEEN);
    const found = this.features(batch(x)).map((one) => one.dataSync());
    if (!found.every((one) => one.every(Number.isFinite))) return null;
    const [embedding, prediction] = found;
    const both = read(embedding, this.unseen, LENGTH);
    const wanted = (i, column) => this.unseen[(FITTED + i) * LENGTH + column];
    const missed = both[0].map((_, column) =>
      mean(both.map((row, i) => (row[column] - wanted(i, column)) ** 2)),
    );
    const [drawn] = this.predicts ? read(prediction, y, CONTEXT) : [both[0].slice(CONTEXT)];
    const first = (view) => [...halves(view, CONTEXT)[1].subarray(0, CONTEXT)];
    return {
      wave: { context: first(x), truth: first(y), drawn },
      errors: {
        next: missed[CONTEXT],
        future: mean(missed.slice(CONTEXT)),
        context: mean(missed.slice(0, CONTEXT)),
      },
    };
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
  const row = { step, ...run.diagnose(run.stream(step)) };
  postMessage({ kind: "done", step, row, readings: run.readings() });
}

/** Train until `end`. */
async function go({ end }) {
  let found = [],
    rows = [],
    looked = false,
    lost = false;
  const learn = () => {
    const { step } = run,
      pair = run.stream(step);
    if (step % EVERY === 0) rows.push({ step, ...run.diagnose(pair) });
    const loss = mean(run.learn(pair).filter((term) => term !== null));
    found.push([step, loss]);
    lost = !Number.isFinite(loss);
    return !lost && run.step < end;
  };
  const tell = (rate) => {
    const { step } = run;
    looked = !lost && rows.length > 0 && !looked; // not after each slice: reading takes a while
    const readings = looked ? run.readings() : undefined;
    postMessage({ kind: "progress", found, rows, step, rate, readings });
    [found, rows] = [[], []];
    if (lost) postMessage({ kind: "diverged", step: step - 1 });
  };
  if ((await slices.go(learn, tell)) && !lost) finish();
}

const answers = {
  start({ settings, seed, end }) {
    run?.dispose();
    const make = settings.method in RELATIVES ? relativeShapes : modelShapes;
    run = new WaveRun(settings, freshWeights(seed, make(settings, WIDTHS, HIDDEN)));
    Object.assign(run, { stream: batches(seed), unseen: waves(seed, 2) });
    return go({ end });
  },
  pause() {
    slices.stop();
    finish();
  },
  go,
  step() {
    slices.stop();
    return go({ end: run.step + 1 });
  },
  /** The core's weights and batches: the losses of as many steps, and weights after them. */
  compare({ settings, weights, pairs, id }) {
    slices.stop();
    const one = new WaveRun(settings, weights);
    const terms = pairs.map(([x, y]) => one.learn([Float32Array.from(x), Float32Array.from(y)]));
    const found = [...one.online.ref.dataSync()];
    one.dispose();
    postMessage({ kind: "compared", id, terms, weights: found });
  },
};

serve(answers);
