// The method of bijepa_core in the browser: the same layers, loss and update, on jax-js.
//
// Parameters go by their names in the core and keep its shapes: a weight is (outputs, inputs).
// In jax-js an operation uses up its arguments; `.ref` keeps one for another use.
import { nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { penalized } from "./regularizers.js";

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
export function mlp(p, prefix, hidden, norm, x) {
  let place = 0;
  const next = () => `${prefix}.net.${place++}`;
  for (let i = 0; i < hidden; i += 1) {
    x = linear(p, next(), x);
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

/**
 * Eq. 6, 7 and 8 for one batch of (size, inputs), scaled as in the paper's script, and penalties.
 * Returns the loss, and what was seen on the way: both terms, embedding and targets.
 */
export function losses(online, target, settings, x, y) {
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
  const t = encode(source, stopGradient ? "target" : "online", settings, goals);
  const [first, second] = ahead && back ? split(s, size) : [s, s];
  const [goal, mirror] = ahead && back ? split(t, size) : [t, t];
  const seen = { s: first.ref, goal: goal.ref };
  const embeddings = (ahead && back ? [first, second] : [s]).map((one) => one.ref);
  let total = null;
  if (ahead) {
    seen.forward = meanSquare(mlp(online, "forward_predictor", 1, norm, first), goal);
    total = np.multiply(seen.forward.ref, alpha * scale);
  }
  if (back) {
    if (ahead) seen.mirror = mirror.ref;
    seen.backward = meanSquare(mlp(online, "backward_predictor", 1, norm, second), mirror);
    const term = np.multiply(seen.backward.ref, (1 - alpha) * scale);
    total = total === null ? term : np.add(total, term);
  }
  return [penalized(total, settings, embeddings), seen];
}

const BETAS = [0.9, 0.999],
  EPSILON = 1e-8;

/** AdamW's two factors at a step, from 1: they correct for moments that began at zero. */
export const corrections = (step, rate) => [
  rate / (1 - BETAS[0] ** step),
  1 / Math.sqrt(1 - BETAS[1] ** step),
];

/** One step of training: a loss's gradient, AdamW, and the target's moving average (Eq. 5). */
export function trainStep(loss, settings) {
  const { rate, decay, tau } = settings;
  const objective = (online, target, x, y) => loss(online, target, settings, x, y);
  return (online, target, first, second, x, y, move, spread) => {
    const [[total, seen], gradient] = valueAndGrad(objective, { hasAux: true })(
      tree.ref(online),
      tree.ref(target),
      x,
      y,
    );
    first = tree.map(
      (m, g) => np.add(np.multiply(m, BETAS[0]), np.multiply(g, 1 - BETAS[0])),
      first,
      tree.ref(gradient),
    );
    second = tree.map(
      (v, g) => np.add(np.multiply(v, BETAS[1]), np.multiply(np.square(g), 1 - BETAS[1])),
      second,
      gradient,
    );
    online = tree.map(
      (p, m, v) => {
        const size = np.add(np.multiply(np.sqrt(v), spread.ref), EPSILON);
        return np.subtract(
          np.multiply(p, 1 - rate * decay),
          np.multiply(np.divide(m, size), move.ref),
        );
      },
      online,
      tree.ref(first),
      tree.ref(second),
    );
    move.dispose();
    spread.dispose();
    const renewed = {};
    for (const [name, value] of Object.entries(target)) {
      const source = online[name.replace(/^target/, "online")].ref;
      renewed[name] = np.add(np.multiply(value, tau), np.multiply(source, 1 - tau));
    }
    const seenOnce = { total, ...seen };
    return [seenOnce, online, renewed, first, second];
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
