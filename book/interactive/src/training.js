// What workers train with: one run of a model, and work in slices.
import { jit, numpy as np, tree } from "@jax-js/jax";
import { apart, factors, layout, losses, rateAfter, trainStep } from "./method.js";

const SLICE = 40; // milliseconds at work before listening again

const vector = (weights) =>
  np.array(Float32Array.from(Object.values(weights).flatMap(({ data }) => [...data])));

/** One run: a model, its optimizer, and where it stands. */
export class Run {
  #quick = [];

  constructor(settings, weights, loss = losses) {
    this.settings = settings;
    const part = (wanted) =>
      Object.fromEntries(
        Object.entries(weights).filter(([name]) => name.startsWith("target") === wanted),
      );
    this.places = { online: layout(part(false)), target: layout(part(true)) };
    [this.online, this.target] = [vector(part(false)), vector(part(true))];
    [this.first, this.second] = [np.zeros(this.online.shape), np.zeros(this.online.shape)];
    this.step = 0;
    this.train = jit(trainStep(loss, settings, this.places));
  }

  /** One step on a batch of tensors; returns what was seen on the way. */
  advance(...batch) {
    const rate = rateAfter(this.step, this.settings);
    const [seen, online, target, first, second] = this.train(
      this.online,
      this.target,
      this.first,
      this.second,
      ...factors(this.step + 1, rate, this.settings.decay).map((one) => np.array(one)),
      ...batch,
    );
    Object.assign(this, { online, target, first, second });
    this.step += 1;
    return seen;
  }

  /** A function of the weights, and of what it is given, compiled. */
  quick(work) {
    const { online, target } = this.places;
    const made = jit((ours, theirs, ...given) =>
      work(apart(ours, online), apart(theirs, target), ...given),
    );
    this.#quick.push(made);
    return (...given) => made(this.online.ref, this.target.ref, ...given);
  }

  dispose() {
    tree.dispose([this.online, this.target, this.first, this.second]);
    for (const one of [this.train, ...this.#quick]) one.dispose();
  }
}

/** Work in slices: whatever arrives meanwhile is heard between two of them. */
export class Slices {
  #task = 0;

  stop() {
    this.#task += 1;
  }

  /**
   * Call `step` until it returns false, or until stopped or called again; `tell` hears after each
   * slice how many steps a second there were. Resolves to whether this came to its own end.
   */
  async go(step, tell) {
    this.#task += 1;
    const mine = this.#task,
      began = performance.now();
    let more = true,
      taken = 0;
    while (more && this.#task === mine) {
      const slice = performance.now();
      do {
        more = step();
        taken += 1;
      } while (more && performance.now() - slice < SLICE);
      tell((1000 * taken) / (performance.now() - began));
      await new Promise((next) => {
        setTimeout(next, 0);
      });
    }
    return this.#task === mine;
  }
}
