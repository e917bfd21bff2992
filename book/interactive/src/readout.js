// Numbers read off embeddings by least squares, with a constant.
import { Matrix, solve } from "ml-matrix";

const rows = (values, width, more = []) =>
  Array.from({ length: values.length / width }, (_, i) => [
    ...values.subarray(i * width, (i + 1) * width),
    ...more,
  ]);

/** A reader, fitted on rows of embeddings and of what goes with them: embeddings to rows. */
export function reader(embeddings, width, truth, count) {
  const a = new Matrix(rows(embeddings, width, [1])),
    b = new Matrix(rows(truth, count));
  const weights = solve(a, b, true); // by singular values: a collapsed embedding has no inverse
  return (others) => new Matrix(rows(others, width, [1])).mmul(weights).to2DArray();
}
