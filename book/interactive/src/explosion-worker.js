// Trains BiJEPA, or a relative, on sine waves, off the page's own thread, and tells how it goes.
import { jit, numpy as np, tree } from "@jax-js/jax";
import { Matrix, SVD, solve } from "ml-matrix";
import { norm, relativeLoss, variance } from "./measures.js";
import { corrections, encode, losses, mlp, trainStep } from "./method.js";
import { RELATIVES } from "./relatives.js";
import { serve, tensor } from "./serve.js";
import { BATCH, batches, CONTEXT, EMBEDDING, freshWeights, views, waves } from "./sine.js";

const EVERY = 20; // steps between two rows of diagnostics, as in the core
const SLICE = 40; // milliseconds at work before listening again
const FITTED = 256; // waves that a reader is fitted on
const UNSEEN = 256; // that it is then judged on; the first of them is drawn

const batch = (data) => np.array(data).reshape([-1, CONTEXT]);
const mean = (values) => values.reduce((a, b) => a + b) / values.length;
const plainRows = (flat, width, one = []) =>
  Array.from({ length: flat.length / width }, (_, i) => [
    ...flat.subarray(i * width, (i + 1) * width),
    ...one,
  ]);

/** What least squares, fitted on the first waves, read off features of the others. */
function read(features, goals) {
  const all = plainRows(features, EMBEDDING, [1]);
  const [a, b] = [all, goals].map((rows) => new Matrix(rows.slice(0, FITTED)));
  const reader = solve(a, b, true); // by singular values: a collapsed embedding has no inverse
  return new Matrix(all.slice(FITTED)).mmul(reader).to2DArray();
}

/** One run: a model, its optimizer, and where it stands. */
class Run {
  constructor(settings, weights, seed = 0) {
    Object.assign(this, { settings, stream: batches(seed), seed });
    const made = Object.entries(weights).map(([name, value]) => [name, tensor(value)]);
    const isTarget = ([name]) => name.startsWith("target");
    this.target = Object.fromEntries(made.filter(isTarget));
    this.online = Object.fromEntries(made.filter((one) => !isTarget(one)));
    const zeros = () => tree.map((p) => np.zeros(p.shape), tree.ref(this.online));
    [this.first, this.second, this.step] = [zeros(), zeros(), 0];
    const joint = settings.method === "JEPA";
    const loss = joint ? losses : RELATIVES[settings.method].loss;
    this.train = jit(trainStep(loss, settings));
    this.look = jit((online, target, x, y) => loss(online, target, settings, x, y)[1]);
    this.predicts = joint && settings.alpha > 0; // else the embedding stands in for a prediction
    this.features = jit((online, x) => {
      const s = encode(tree.ref(online), "online", settings, x);
      if (this.predicts) return [s.ref, mlp(online, "forward_predictor", 1, settings.layerNorm, s)];
      tree.dispose(online);
      return [s];
    });
  }

  /** One step on a batch; returns [forward, backward], null for a direction not in use. */
  advance([x, y], rows) {
    if (rows) this.row = this.diagnose([x, y]);
    const [move, spread] = corrections(this.step + 1, this.settings.rate);
    const [seen, online, target, first, second] = this.train(
      this.online,
      this.target,
      this.first,
      this.second,
      batch(x),
      batch(y),
      np.array(move),
      np.array(spread),
    );
    Object.assign(this, { online, target, first, second });
    this.step += 1;
    const terms = ["forward", "backward"].map((name) => seen[name]?.ref.dataSync()[0] ?? null);
    tree.dispose(seen);
    return terms;
  }

  /** Where the model stands, seen on one batch: loss, and what the core's History has beside it. */
  diagnose([x, y]) {
    const seen = this.look(tree.ref(this.online), tree.ref(this.target), batch(x), batch(y));
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
    this.unseen ??= views(waves(this.seed, 2), 0, FITTED + UNSEEN);
    const [x, y] = this.unseen;
    const found = this.features(tree.ref(this.online), batch(x)).map((one) => one.dataSync());
    if (!found.flatMap((one) => [...one]).every(Number.isFinite)) return null;
    const [contexts, futures] = [x, y].map((one) => plainRows(one, CONTEXT));
    const both = contexts.map((context, i) => [...context, ...futures[i]]);
    const off = read(found[0], both);
    const missed = both[0].map((_, column) =>
      mean(off.map((row, i) => (row[column] - both[FITTED + i][column]) ** 2)),
    );
    const [first] = this.predicts ? read(found[1], futures) : [off[0].slice(CONTEXT)];
    return {
      wave: { context: contexts[FITTED], truth: futures[FITTED], drawn: first },
      errors: {
        next: missed[CONTEXT],
        future: mean(missed.slice(CONTEXT)),
        context: mean(missed.slice(0, CONTEXT)),
      },
    };
  }

  dispose() {
    tree.dispose([this.online, this.target, this.first, this.second]);
    for (const one of [this.train, this.look, this.features]) one.dispose();
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

let run = null,
  task = 0;

function stop() {
  task += 1;
}

/** Say where the run has stopped: all numbers of the same model, on the batch that comes next. */
function finish() {
  const { step } = run;
  const row = { step, ...run.diagnose(run.stream(step)) };
  postMessage({ kind: "done", step, row, readings: run.readings() });
}

/** Train until `end`, in slices; whatever arrives meanwhile is heard between two of them. */
async function go({ end }) {
  const mine = ++task,
    { stream } = run;
  let busy = 0,
    taken = 0,
    slices = 0;
  while (task === mine && run.step < end) {
    const began = performance.now(),
      found = [],
      rows = [];
    do {
      const log = run.step % EVERY === 0;
      const step = run.step,
        terms = run.advance(stream(step), log);
      const used = terms.filter((term) => term !== null);
      const loss = used.reduce((a, b) => a + b, 0) / used.length;
      found.push([step, loss]);
      if (log) rows.push({ step, ...run.row });
      taken += 1;
      if (!Number.isFinite(loss)) {
        postMessage({ kind: "progress", found, rows, step: run.step, rate: 0 });
        postMessage({ kind: "diverged", step });
        return;
      }
    } while (run.step < end && performance.now() - began < SLICE);
    busy += performance.now() - began;
    const reads = rows.length && slices++ % 2 === 0; // reading takes a while
    postMessage({
      kind: "progress",
      found,
      rows,
      step: run.step,
      rate: (1000 * taken) / busy,
      readings: reads ? run.readings() : undefined,
    });
    await new Promise((next) => {
      setTimeout(next, 0);
    });
  }
  if (task === mine) finish();
}

const answers = {
  start({ settings, seed, end }) {
    run?.dispose();
    run = new Run(settings, freshWeights(seed, settings), seed);
    return go({ end });
  },
  pause() {
    stop();
    finish();
  },
  go,
  step() {
    stop();
    return go({ end: run.step + 1 });
  },
  /** The core's weights and batches: the losses of as many steps, for comparison. */
  compare({ settings, weights, pairs, id }) {
    stop();
    const one = new Run(settings, weights);
    const terms = pairs.map(([x, y]) => one.advance([Float32Array.from(x), Float32Array.from(y)]));
    one.dispose();
    postMessage({ kind: "compared", id, terms });
  },
};

serve(answers);
