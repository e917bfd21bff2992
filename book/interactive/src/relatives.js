// Other ways to learn an embedding, with the same encoder: a loss each, in the place of Eq. 8.
//
// As in `bijepa_book.evidence.stable.relatives`: a head, without LayerNorm, stands where BiJEPA
// has its predictor.
import { nn, numpy as np, tree } from "@jax-js/jax";
import { encode, meanSquare, mlp, onSphere, shapes, split } from "./method.js";
import { decorrelation, varianceHinge } from "./regularizers.js";

const TEMPERATURE = 0.2;

const head = (p, s) => mlp(p, "forward_predictor", 1, false, s);

/** From the embedding of x a decoder draws x itself, or y. */
const drawing = (pick) => (online, target, settings, x, y) => {
  tree.dispose(target);
  const goal = pick(x, y).ref;
  y.dispose();
  const s = encode(online, "online", settings, x);
  const loss = meanSquare(head(online, s.ref), goal.ref);
  const shown = np.multiply(goal, 1); // an input itself cannot be handed out of a gradient
  return [loss.ref, { s, forward: loss, goal: shown }];
};

/** `compare` gets what the head makes of x and y, one below the other, and targets of y and x. */
const comparing = (compare) => (online, target, settings, x, y) => {
  const size = x.shape[0];
  const s = encode(online, "online", settings, np.concatenate([x.ref, y.ref], 0));
  const goals = encode(target, "target", settings, np.concatenate([y, x], 0));
  const loss = compare(head(online, s.ref), goals, size);
  return [loss.ref, { s: s.slice([0, size]), forward: loss }];
};

/** Each shall be nearest to its partner, among all others of both views. */
function simclr(both, goals, size) {
  goals.dispose();
  const unit = np.divide(onSphere(both), Math.sqrt(TEMPERATURE));
  const cosines = np.matmul(unit.ref, np.transpose(unit.ref));
  const others = np.subtract(cosines, np.multiply(np.eye(2 * size), 1e9));
  const [a, b] = split(unit, size);
  const partners = np.sum(np.multiply(a, b), -1);
  return np.subtract(np.mean(nn.logsumexp(others, -1)), np.mean(partners));
}

/** Alike, with a variance that is held up and correlations that are held down. */
function vicreg(both, goals, size) {
  goals.dispose();
  const views = split(both, size);
  const alike = np.multiply(meanSquare(...views.map((one) => one.ref)), 25);
  return views.reduce((total, one) => {
    const kept = np.add(np.multiply(varianceHinge(one.ref), 12.5), decorrelation(one));
    return np.add(total, kept);
  }, alike);
}

/** Squared distances on the unit sphere, from each view to the other's target. */
function byol(both, goals) {
  const cosines = np.sum(np.multiply(onSphere(both), onSphere(goals)), -1);
  return np.subtract(4, np.multiply(np.mean(cosines), 4));
}

/** By name: how wide the head's output is (as the embedding by default), and the loss. */
export const RELATIVES = {
  autoencoder: { draws: true, loss: drawing((x) => x) },
  "predictive autoencoder": { draws: true, loss: drawing((_, y) => y) },
  SimCLR: { loss: comparing(simclr) },
  VICReg: { loss: comparing(vicreg) },
  BYOL: { loss: comparing(byol) },
};

/** The shapes of one: `widths` are the encoder's, `hidden` the head's. */
export function relativeShapes({ method, layerNorm }, widths, hidden) {
  const [inputs, d] = [widths[0], widths.at(-1)];
  return {
    ...shapes("online", widths, layerNorm),
    ...shapes("forward_predictor", [d, hidden, RELATIVES[method].draws ? inputs : d], false),
  };
}
