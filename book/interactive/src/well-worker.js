// Trains BiJEPA on a particle in a double well, off the page's own thread, and draws samples.
import { numpy as np, tree } from "@jax-js/jax";
import { pairs, places } from "./double-well.js";
import { freshWeights } from "./fresh.js";
import { encode, mlp, modelShapes, samples } from "./method.js";
import { normals, uniforms } from "./random.js";
import { reader } from "./readout.js";
import { serve } from "./serve.js";
import { Run, Slices } from "./training.js";

const BATCH = 64,
  WIDTHS = [1, 32, 32, 4],
  HIDDEN = 32,
  EMBEDDING = WIDTHS.at(-1);
const EVERY = 50; // steps between two looks
const FITTED = 256; // places that the read-out is fitted on
const CLOUD = 500; // samples where the particle is
const EACH = 16; // samples at each of the places that the score is averaged over
const WAYS = ["forward", "backward"];
const PURPOSES = { train: 1, noise: 2, fit: 3, cloud: 4 };

const tensor = (data, ...shape) => np.array(data).reshape(shape);

/** A run in the well; `settings.noise` is the width of z, 0 for a predictor without. */
class WellRun extends Run {
  constructor(settings, weights) {
    super(settings, weights);
    const { layerNorm: norm, noise } = settings;
    this.embed = this.quick((_, target, x) => encode(target, "target", settings, x));
    this.predict = this.quick((online, _, x, z) => {
      const s = encode(tree.ref(online), "online", settings, x);
      return WAYS.map((way) =>
        noise
          ? samples(online, `${way}_predictor.net`, norm, s.ref, z.ref)
          : mlp(online, `${way}_predictor`, 1, norm, s.ref),
      );
    });
  }

  /** One step on a pair of views, and noise for both directions where it is used. */
  learn([x, y], drawn) {
    const { noise, samples: count } = this.settings;
    const z = noise ? drawn.map((one) => tensor(one, count, x.length, noise)) : [];
    const seen = this.advance(tensor(x, x.length, 1), tensor(y, y.length, 1), ...z);
    const terms = WAYS.map((way) => seen[way].ref.dataSync()[0]);
    tree.dispose(seen);
    return terms;
  }

  /** What is predicted from each place, ahead and back: embeddings, those of one sample together. */
  embeddings(x, z, count) {
    const { noise } = this.settings;
    const given = noise ? tensor(z, count, x.length, noise) : np.zeros([1]);
    return this.predict(tensor(x, x.length, 1), given).map((one) => one.dataSync());
  }
}

let run = null,
  well = null,
  q = 0;
const slices = new Slices();

/** Where predictions lie, read off by what target embeddings say of places. */
function look() {
  const { fit, cloud, grid } = run;
  const target = run.embed(tensor(fit, FITTED, 1)).dataSync();
  const read = reader(target, EMBEDDING, fit, 1);
  const seen = (x, z, count) =>
    run.embeddings(x, z, count).map((one) => Float32Array.from(read(one), ([value]) => value));
  return {
    step: run.step,
    cloud: seen(Float32Array.of(q), cloud, CLOUD),
    grid: seen(Float32Array.from(well.starts), grid, EACH),
  };
}

const answers = {
  start({ settings, seed, well: given, place, end }) {
    run?.dispose();
    [well, q] = [given, place];
    run = new WellRun(settings, freshWeights(seed, modelShapes(settings, WIDTHS, HIDDEN)));
    const source = (purpose) => uniforms(seed, PURPOSES[purpose]);
    const noise = (count) => normals(count * settings.noise, source("cloud"));
    Object.assign(run, {
      pairs: source("train"),
      noise: source("noise"),
      fit: places(FITTED, well, source("fit")),
      cloud: noise(CLOUD),
      grid: noise(EACH * well.starts.length),
    });
    return answers.go({ end });
  },
  async go({ end }) {
    const { noise, samples: count } = run.settings;
    let looks = run.step ? [] : [look()],
      lost = false;
    const learn = () => {
      const drawn = WAYS.map(() => normals(count * BATCH * noise, run.noise));
      lost = !run.learn(pairs(BATCH, well, run.pairs), drawn).every(Number.isFinite);
      if (run.step % EVERY === 0 && !lost) looks.push(look());
      return !lost && run.step < end;
    };
    const tell = (rate) => {
      postMessage({ kind: "progress", step: run.step, rate, looks });
      looks = [];
    };
    if (await slices.go(learn, tell)) postMessage({ kind: lost ? "diverged" : "done" });
  },
  pause() {
    slices.stop();
    postMessage({ kind: "done" });
  },
  /** The reader has put the particle somewhere. */
  place({ place, id }) {
    q = place;
    postMessage({ kind: "placed", id, look: run ? look() : null });
  },
  /** The core's weights, pairs and noise: scores of as many steps, and samples before them. */
  compare({ settings, weights, steps, id }) {
    slices.stop();
    const one = new WellRun(settings, weights);
    const floats = (lists) => lists.map((list) => Float32Array.from(list));
    const [[x], drawn] = [steps[0].pair, steps[0].noise].map(floats);
    const before = one.embeddings(x, drawn[0], settings.samples).map((found) => [...found]);
    let moments = null;
    const terms = steps.map(({ pair, noise }) => {
      const found = one.learn(floats(pair), floats(noise));
      moments ??= [...one.first.ref.dataSync()]; // a tenth of the first gradient
      return found;
    });
    one.dispose();
    postMessage({ kind: "compared", id, before, moments, terms });
  },
};

serve(answers);
