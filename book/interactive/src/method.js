// The method of bijepa_core in the browser: the same layers, loss and update, on jax-js.
//
// Parameters go by their names in the core and keep its shapes: a weight is (outputs, inputs).
// In jax-js an operation uses up its arguments; `.ref` keeps one for another use.
import { nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { aim, penalized } from "./regularizers.js";

/** Affine map of (batch, inputs); the weight is (outputs, inputs). */
const linear = (p, name, x) =>
  np.add(np.matmul(x, np.transpose(p[`${name}.weight`])), p[`${name}.bias`]);

/** Normalization over the last axis. */
function layerNorm(p, name, x) {
  const mean = np.mean(x.ref, -1, { keepdims: true });
  const centered = np.subtract(x, mean);
  const variance = np.mean(np.square(centered.ref), -1, { keepdims: true });
  const normed = np.divide(centered, np.sqrt(np.add(variance, 1e-5)));
  return np.add(np.multiply(normed, p[`${name}.weight`]), p[`${name}.bias`]);
}

/** Batch normalization by stored statistics, over axis 1 of `rank` axes. */
function batchNorm(p, name, x, rank) {
  const along = (key) => p[`${name}.${key}`].reshape([1, -1, ...Array(rank - 2).fill(1)]);
  const scale = np.divide(along("weight"), np.sqrt(np.add(along("running_var"), 1e-5)));
  return np.add(np.multiply(np.subtract(x, along("running_mean")), scale), along("bias"));
}

/** Hidden layers with LayerNorm (where asked for) and ReLU, then a free linear output. */
export function mlp(p, prefix, hidden, norm, x, first = linear) {
  let place = 0,
    layer = first;
  const next = () => `${prefix}.net.${place++}`;
  for (let i = 0; i < hidden; i += 1) {
    x = layer(p, next(), x);
    layer = linear;
    if (norm) x = layerNorm(p, next(), x);
    x = nn.relu(x);
    next(); // the ReLU has a place of its own
  }
  return linear(p, next(), x);
}

/** The shapes of such a network: `widths` from input to output. */
export function shapes(prefix, widths, norm) {
  const found = {};
  let place = 0;
  for (let i = 0; i + 1 < widths.length; i += 1) {
    found[`${prefix}.net.${place}.weight`] = [widths[i + 1], widths[i]];
    found[`${prefix}.net.${place}.bias`] = [widths[i + 1]];
    place += 1;
    if (norm && i + 2 < widths.length) {
      found[`${prefix}.net.${place}.weight`] = [widths[i + 1]];
      found[`${prefix}.net.${place}.bias`] = [widths[i + 1]];
      place += 1;
    }
    place += 1;
  }
  return found;
}

/**
 * The shapes of a model: `widths` are the encoder's, `hidden` the predictors'; noise of a width
 * that the settings name goes into them.
 */
export function modelShapes({ alpha, layerNorm, noise = 0 }, widths, hidden) {
  const d = widths.at(-1);
  const predictor = (name) =>
    shapes(noise ? `${name}.net` : name, [d + noise, hidden, d], layerNorm);
  return {
    ...shapes("online", widths, layerNorm),
    ...(alpha > 0 ? predictor("forward_predictor") : {}),
    ...(alpha < 1 ? predictor("backward_predictor") : {}),
  };
}

/** The unit sphere of Eq. 9. */
export function onSphere(s) {
  const norm = np.sqrt(np.sum(np.square(s.ref), -1, { keepdims: true }));
  return np.divide(s, np.maximum(norm, 1e-12));
}

export function encode(p, prefix, settings, view) {
  const s = mlp(p, prefix, 2, settings.layerNorm, view);
  return settings.sphere ? onSphere(s) : s;
}

/** The first and the second half of a batch. */
export const split = (s, size) => [s.ref.slice([0, size]), s.slice([size, 2 * size])];

export const meanSquare = (a, b) => np.mean(np.square(np.subtract(a, b)));

/** Embeddings P(s, z) of given noise: s is (batch, d), z (count, batch, width). */
export function samples(p, prefix, norm, s, z) {
  const [[count, batch, width], d] = [z.shape, s.shape[1]];
  const first = (_, name) => {
    const weight = p[`${name}.weight`]; // of s and of z, apart: s is the same for all samples
    const [ours, noisy] = [
      [0, d],
      [d, d + width],
    ].map((some) => np.transpose(weight.ref.slice([], some)));
    weight.dispose();
    const given = np.add(np.matmul(s, ours), p[`${name}.bias`]);
    const drawn = np.matmul(z.reshape([count * batch, width]), noisy);
    return np.add(drawn.reshape([count, batch, -1]), given).reshape([count * batch, -1]);
  };
  return mlp(p, prefix, 1, norm, null, first).reshape([count, batch, d]);
}

/** Euclidean over the last axis; its slope at zero is zero. */
function length(difference) {
  const square = np.sum(np.square(difference), -1);
  const zero = np.equal(square.ref, 0);
  return np.where(zero.ref, 0, np.sqrt(np.where(zero, 1, square)));
}

/** Each pair of samples once: rows with a 1 and a -1. */
function pairs(count) {
  const rows = [];
  for (let i = 0; i < count; i += 1)
    for (let j = 0; j < i; j += 1)
      rows.push(Array.from({ length: count }, (_, k) => Number(k === i) - Number(k === j)));
  return np.array(rows);
}

/**
 * The energy score of samples (count, batch, d), averaged over the batch: their distance to the
 * target less half that between two of them.
 */
export function energyScore(drawn, goal) {
  const [count, batch, d] = drawn.shape;
  const missed = np.mean(length(np.subtract(drawn.ref, goal)));
  const apart = np.matmul(pairs(count), drawn.reshape([count, batch * d])).reshape([-1, batch, d]);
  return np.subtract(missed, np.multiply(np.mean(length(apart)), 0.5));
}

/**
 * Eq. 6, 7 and 8 for one batch of (size, inputs), scaled as in the paper's script, and penalties;
 * targets may be whitened by a share. By the energy score where noise is given, z ahead and z back.
 * Returns the loss, and what was seen on the way: both terms, embedding and targets.
 */
export function losses(online, target, settings, x, y, ...noise) {
  const { alpha, layerNorm: norm, stopGradient } = settings;
  const size = x.shape[0];
  const scale = 1 / Math.max(alpha, 1 - alpha);
  const source = stopGradient ? target : tree.ref(online);
  if (!stopGradient) tree.dispose(target);
  const ahead = alpha > 0,
    back = alpha < 1;
  const used = (parts, make) => (ahead && back ? np.concatenate(parts, 0) : make());
  const views = used([x.ref, y.ref], () => (ahead ? x.ref : y.ref));
  const goals = used([y.ref, x.ref], () => (ahead ? y.ref : x.ref));
  x.dispose();
  y.dispose();
  const s = encode(online, "online", settings, views);
  const found = encode(source, stopGradient ? "target" : "online", settings, goals);
  const t = aim(found, size, settings);
  const [first, second] = ahead && back ? split(s, size) : [s, s];
  const [goal, mirror] = ahead && back ? split(t, size) : [t, t];
  const seen = { s: first.ref, goal: goal.ref };
  const embeddings = (ahead && back ? [first, second] : [s]).map((one) => one.ref);
  const compared = (prefix, given, wanted, z) =>
    z
      ? energyScore(samples(online, `${prefix}.net`, norm, given, z), wanted)
      : meanSquare(mlp(online, prefix, 1, norm, given), wanted);
  let total = null;
  if (ahead) {
    seen.forward = compared("forward_predictor", first, goal, noise[0]);
    total = np.multiply(seen.forward.ref, alpha * scale);
  }
  if (back) {
    if (ahead) seen.mirror = mirror.ref;
    seen.backward = compared("backward_predictor", second, mirror, noise[1]);
    const term = np.multiply(seen.backward.ref, (1 - alpha) * scale);
    total = total === null ? term : np.add(total, term);
  }
  return [penalized(total, settings, embeddings), seen];
}

const BETAS = [0.9, 0.999],
  EPSILON = 1e-8;

/**
 * The learning rate after so many steps: as it is, or falling along half a cosine, to its share `to`
 * after `over` steps (`falling_adamw` of the core).
 */
export function rateAfter(done, { rate, falls }) {
  if (!falls) return rate;
  const left = (1 + Math.cos(Math.PI * Math.min(done / falls.over, 1))) / 2;
  return rate * (falls.to + (1 - falls.to) * left);
}

/** AdamW's factors at a step, from 1: two that correct for moments that began at zero, and decay's. */
export const factors = (step, rate, decay) => [
  rate / (1 - BETAS[0] ** step),
  1 / Math.sqrt(1 - BETAS[1] ** step),
  1 - rate * decay,
];

/** Where tensors lie in one vector, by name: it is updated in one go, which many small ones are not. */
export function layout(tensors) {
  const places = {};
  let start = 0;
  for (const [name, { shape }] of Object.entries(tensors)) {
    const end = start + shape.reduce((a, b) => a * b, 1);
    places[name] = { start, end, shape };
    start = end;
  }
  return places;
}

/** The tensors that lie in a vector. */
export function apart(vector, places) {
  const found = Object.entries(places).map(([name, { start, end, shape }]) => [
    name,
    vector.ref.slice([start, end]).reshape(shape),
  ]);
  vector.dispose();
  return Object.fromEntries(found);
}

/** The vector that tensors lie in. */
export const joined = (tensors, places) =>
  np.concatenate(Object.keys(places).map((name) => tensors[name].reshape([-1])));

/**
 * One step of training: a loss's gradient, AdamW, and the target's moving average (Eq. 5). Weights and
 * moments are vectors, of tensors at `places`; those of the encoder come first.
 */
export function trainStep(loss, settings, places) {
  const { tau } = settings;
  return (online, target, first, second, move, spread, kept, ...batch) => {
    // Targets and batch are not among its arguments: those need rules for tangents, which eigh lacks.
    const objective = (weights) =>
      loss(weights, apart(target.ref, places.target), settings, ...batch);
    const [[total, seen], gradients] = valueAndGrad(objective, { hasAux: true })(
      apart(online.ref, places.online),
    );
    const gradient = joined(gradients, places.online);
    first = np.add(np.multiply(first, BETAS[0]), np.multiply(gradient.ref, 1 - BETAS[0]));
    second = np.add(np.multiply(second, BETAS[1]), np.multiply(np.square(gradient), 1 - BETAS[1]));
    const size = np.add(np.multiply(np.sqrt(second.ref), spread), EPSILON);
    online = np.subtract(np.multiply(online, kept), np.multiply(np.divide(first.ref, size), move));
    const source = online.ref.slice([0, target.shape[0]]);
    target = np.add(np.multiply(target, tau), np.multiply(source, 1 - tau));
    return [{ total, ...seen }, online, target, first, second];
  };
}

/** The convolutional encoder of experiment 3, on (batch, 1, 28, 14), with frozen statistics. */
export function convEncoder(p, conv, x) {
  const name = (place) => `online.net.${place}`;
  const layer = (place, input) => {
    const bias = p[`${name(place)}.bias`].reshape([1, -1, 1, 1]);
    const out = conv(
      input,
      p[`${name(place)}.weight`],
      [2, 2],
      [
        [1, 1],
        [1, 1],
      ],
    );
    return nn.relu(batchNorm(p, name(place + 1), np.add(out, bias), 4));
  };
  x = layer(3, layer(0, x));
  x = linear(p, name(7), x.reshape([x.shape[0], 64 * 7 * 4]));
  return linear(p, name(10), nn.relu(layerNorm(p, name(8), x)));
}

/** The generative decoder of experiment 3: (batch, 64) to (batch, 392) pixels in 0..1. */
export function decoder(p, prefix, s) {
  for (const place of [0, 3]) {
    s = linear(p, `${prefix}.net.${place}`, s);
    s = nn.relu(batchNorm(p, `${prefix}.net.${place + 1}`, s, 2));
  }
  return nn.sigmoid(linear(p, `${prefix}.net.6`, s));
}

/** A probe: (batch, d) to scores. */
export const probe = linear;
