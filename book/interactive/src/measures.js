// What the core's diagnostics say of embeddings, row after row of `width` numbers.
const ROUNDING = (4 * 2 ** -23) ** 2;

/** Variance over the batch, averaged over dimensions. */
export function variance(s, width) {
  const count = s.length / width;
  let total = 0;
  for (let d = 0; d < width; d += 1) {
    let mean = 0,
      square = 0;
    for (let i = d; i < s.length; i += width) mean += s[i] / count;
    for (let i = d; i < s.length; i += width) square += (s[i] - mean) ** 2 / count;
    total += square / width;
  }
  return total;
}

/** The loss over the target's variance; 1 where the target is constant but for rounding. */
export function relativeLoss(loss, target, width) {
  const spread = variance(target, width);
  const size = target.reduce((sum, v) => sum + v * v, 0) / target.length;
  return spread <= ROUNDING * size && Number.isFinite(loss) ? 1 : loss / spread;
}

/** The mean Euclidean norm of the rows. */
export function norm(s, width) {
  let sum = 0;
  for (let i = 0; i < s.length; i += width) sum += Math.hypot(...s.subarray(i, i + width));
  return (sum * width) / s.length;
}
