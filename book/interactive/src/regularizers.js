// Penalties on a batch of embeddings, and its whitening: `bijepa_core.regularizers` on jax-js, by
// the same names.
import { lax, nn, numpy as np } from "@jax-js/jax";

const FLOOR = 1e-4; // under variances that are whitened

/** Batches (..., batch, d), each moved and mixed so that its covariance is the identity (ZCA). */
export function whitened(s) {
  const centered = np.subtract(s.ref, np.mean(s, -2, { keepdims: true }));
  const [batch] = centered.shape.slice(-2);
  const products = np.matmul(np.matrixTranspose(centered.ref), centered.ref);
  const covariance = np.divide(products, batch * FLOOR); // eigh is exact to a millionth of it or of 1
  const [vectors, values] = lax.linalg.eigh(covariance, { sortEigenvalues: false });
  const size = np.sqrt(np.multiply(np.add(np.maximum(values, 0), 1), FLOOR));
  const scaled = np.divide(vectors.ref, np.expandDims(size, -2));
  return np.matmul(centered, np.matmul(scaled, np.matrixTranspose(vectors)));
}

/**
 * What predictions are compared with: targets, a batch of `size` below another, each moved a share
 * of the way to where it is whitened.
 */
export function aim(targets, size, { whitening = 0 }) {
  if (!whitening) return targets;
  const white = whitened(targets.ref.reshape([-1, size, targets.shape[1]]));
  const way = np.subtract(white.reshape(targets.shape), targets.ref);
  return np.add(targets, np.multiply(way, whitening));
}

/** The mean square of all entries shall be 1. */
const scale = (s) => np.square(np.subtract(np.mean(np.square(s)), 1));

const variances = (s) => np.var_(s, 0, { correction: 1 });

/** Each dimension's variance shall be 1. */
const unitVariance = (s) => np.mean(np.square(np.subtract(variances(s), 1)));

/** No dimension's deviation shall be below 1. */
export const varianceHinge = (s) =>
  np.mean(nn.relu(np.subtract(1, np.sqrt(np.add(variances(s), 1e-4)))));

/** Dimensions shall not correlate. */
export function decorrelation(s) {
  const [batch, d] = s.shape;
  const own = np.sum(np.square(variances(s.ref)));
  const centered = np.subtract(s.ref, np.mean(s, 0, { keepdims: true }));
  const covariance = np.divide(np.matmul(np.transpose(centered.ref), centered), batch - 1);
  return np.divide(np.subtract(np.sum(np.square(covariance)), own), d);
}

/** What each kind of penalty adds up, a share with each function. */
const KINDS = {
  none: [],
  scale: [[1, scale]],
  "loose covariance": [
    [1, unitVariance],
    [0.1, decorrelation],
  ],
  VICReg: [
    [1, varianceHinge],
    [0.04, decorrelation],
  ],
};

/** What a loss gets on top: the weighted penalties of each embedding in use, their mean. */
export function penalized(total, { penalty = "none", weight }, embeddings) {
  for (const s of embeddings) {
    for (const [share, of] of KINDS[penalty]) {
      const added = np.multiply(of(s.ref), (weight * share) / embeddings.length);
      total = np.add(total, added);
    }
    s.dispose();
  }
  return total;
}
