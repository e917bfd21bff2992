// Penalties on a batch of embeddings: `bijepa_core.regularizers` on jax-js, by the same names.
import { nn, numpy as np } from "@jax-js/jax";

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
