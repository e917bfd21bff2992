// Many futures: BiJEPA trained in the page on a particle in a double well that the reader places.
import code from "worker:well-worker";
import { chart, merge } from "./chart.js";
import { expectedScore, leastScore, middles } from "./double-well.js";
import { latest, startWorker } from "./host.js";
import { DOTTED, SOLID, together } from "./looks.js";
import { brief, counted } from "./text.js";
import {
  button,
  checkbox,
  choice,
  entry,
  fill,
  h,
  liveRegion,
  readAddress,
  slider,
  writeAddress,
} from "./ui.js";
import { wellPicture } from "./well-picture.js";

const NAME = "well";
const well = globalThis.bijepaData?.[NAME];
const STEPS = 4000; // that a press trains
const WORST = 1; // score that the chart shows: the first looks lie far above
const STEP = 0.05; // between two places
const EXPRESSIVE = {
  alpha: 0.5,
  layerNorm: true,
  sphere: false,
  stopGradient: true,
  rate: 1e-3,
  decay: 1e-4,
  tau: 0.995,
};
const MODELS = {
  energy: ["Many futures, P(s, z)", { ...EXPRESSIVE, noise: 4, samples: 4 }],
  expressive: ["One future, P(s)", { ...EXPRESSIVE, noise: 0, samples: 1 }],
};
const QUESTION =
  "Where will the particle be, and where did it come from? Place it and guess; then press Train.";

/** What the laws say of every score, averaged over places as often as particles are there. */
function judge({ starts, laws, stationary, edge }) {
  const cells = middles({ edge, stationary }),
    width = (2 * edge) / cells.length;
  const often = starts.map((q) => stationary[Math.floor((q + edge) / width)]);
  const all = often.reduce((a, b) => a + b);
  const averaged = (scores) => scores.reduce((sum, one, i) => sum + (one * often[i]) / all, 0);
  const least = laws.map((law) => leastScore(law, cells));
  return {
    least,
    optimum: averaged(least),
    at: (values, row) => expectedScore(values, laws[row], cells),
    /** Of samples at all places, those of one sample together, in each direction. */
    everywhere(ways) {
      const scores = ways.map((values) =>
        averaged(
          laws.map((law, row) =>
            expectedScore(
              values.filter((_, i) => i % starts.length === row),
              law,
              cells,
            ),
          ),
        ),
      );
      return (scores[0] + scores[1]) / 2;
    },
  };
}

function build(section) {
  const live = liveRegion(),
    judged = judge(well);
  const [low, high] = [well.starts[0], well.starts.at(-1)];
  let placed = 0;
  const changed = () => {
    if (at.get() !== placed) place();
    writeAddress(section, controls);
    refresh();
  };
  const at = slider("the particle's place, q", [low, high, STEP], placed, changed);
  const exact = checkbox("exact laws", true, changed);
  const two = checkbox("deterministic model beside it", true, changed);
  const seeds = Array.from({ length: 8 }, (_, i) => [String(i), String(i)]);
  const seed = choice("seed of the next start", seeds, "0", changed);
  const controls = { at, exact, two, seed };
  const row = () => Math.round((at.get() - low) / STEP);

  const looks = together(Object.keys(MODELS));
  const models = Object.values(MODELS).map(([name, settings], i) => ({
    ...{ name, settings, pen: looks[i], curve: [], step: 0 },
    progress: h("p", { class: "demo-progress" }, `${name}: not trained yet`),
  }));
  const active = () => (two.get() ? models : models.slice(0, 1));
  const running = () => models.some(({ state }) => state === "running");
  const truth = { ink: "text", dash: SOLID, width: 2.5 };
  const best = { ink: "text", dash: DOTTED };

  function listen(model) {
    const failed = () => {
      model.state = "failed";
      refresh();
    };
    model.worker = startWorker(section, code, (said) => hear(model, said), failed);
    model.moved = latest(async () => {
      const { look } = await model.worker.ask({ kind: "place", place: at.get() });
      model.look = look;
      schedule();
      summarize();
    });
  }
  function hear(model, said) {
    if (said.kind === "progress") {
      for (const look of said.looks) {
        const score = judged.everywhere(look.grid);
        if (score < WORST) model.curve.push([look.step, score]);
        model.look = look;
      }
      model.step = said.step;
      const [step, end] = [said.step, model.end].map((n) => n.toLocaleString("en-US"));
      const rate = Math.round(said.rate);
      model.progress.textContent = `${model.name}: step ${step} of ${end}, ${rate} steps a second`;
    } else {
      model.state = said.kind;
      if (said.kind === "diverged") model.progress.textContent = `${model.name}: diverged`;
      refresh();
      summarize();
    }
    schedule();
  }
  function place() {
    placed = at.get();
    for (const model of models) if (model.state) model.moved();
  }

  const plot = wellPicture(
    well,
    "The well, the particle, its futures and pasts.",
    () => ({
      q: at.get(),
      law: exact.get() ? well.laws[row()] : null,
      models: active().map(({ pen, look }) => ({ pen, samples: look?.cloud })),
    }),
    (q) => {
      at.set(q);
      changed();
    },
  );
  const scores = chart(
    "expected CRPS, averaged over places and both directions",
    [{ name: "optimum", ...best }, ...models.map(({ name, pen }) => ({ name, ...pen }))],
    { x: "step", y: "CRPS", wide: true },
  );

  function begin(model) {
    Object.assign(model, { curve: [], look: null, step: 0, end: STEPS, state: "running" });
    model.worker.tell({
      kind: "start",
      settings: model.settings,
      seed: Number(seed.get()),
      well: { ...well, laws: null },
      place: at.get(),
      end: STEPS,
    });
  }
  function goOn(model) {
    if (model.step >= model.end) model.end += STEPS;
    model.state = "running";
    model.worker.tell({ kind: "go", end: model.end });
  }
  function move(start) {
    for (const model of active()) start(model);
    live.say("Training.");
    refresh();
  }
  const open = ({ state }) => state === "done";
  const train = button("Train", () => move((model) => (open(model) ? goOn(model) : begin(model))), {
    class: "demo-button demo-main",
  });
  const pause = button("Pause", () => {
    for (const model of models) {
      if (model.state === "running") model.worker.tell({ kind: "pause" });
    }
  });
  const again = button("Restart", () => move(begin));

  const told = ({ look }) => look?.cloud.map((values) => brief(judged.at(values, row())));
  function summarize() {
    if (running()) return;
    const found = active().filter(({ look }) => look);
    const each = found.map((model) => {
      const [ahead, back] = told(model);
      return `${model.name}, after ${counted(model.step, "step")}: ${ahead} ahead, ${back} back.`;
    });
    const least = brief(judged.least[row()]);
    const text = found.length
      ? `At q = ${at.get().toFixed(2)} no forecast can expect a CRPS below ${least}. ` +
        `${each.join(" ")}`
      : QUESTION;
    live.say(text);
    plot.element.setAttribute(
      "aria-label",
      `The well, the particle, its futures and pasts. ${text}`,
    );
    scores.describe(text);
  }

  const line = (name, pen) => {
    const values = [h("td", {}), h("td", {})];
    const element = h("tr", {}, h("th", { scope: "row" }, entry(pen, name)), ...values);
    const show = (texts) => {
      for (const [i, one] of values.entries()) one.textContent = texts[i];
    };
    return { element, show };
  };
  const optimum = line("exact laws", truth);
  for (const model of models) model.line = line(model.name, model.pen);

  function refresh() {
    train.textContent = active().some(open) ? "Go on" : "Train";
    const failed = models.some(({ state }) => state === "failed");
    train.disabled = running() || failed;
    pause.disabled = !running();
    again.disabled = failed;
    for (const part of [models[1].progress, models[1].line.element]) part.hidden = !two.get();
    schedule();
  }
  let planned = false;
  function schedule() {
    if (planned) return;
    planned = true;
    setTimeout(() => requestAnimationFrame(show), 80);
  }
  function show() {
    planned = false;
    plot.redraw();
    optimum.show(Array(2).fill(brief(judged.least[row()])));
    for (const model of models) model.line.show(told(model) ?? ["–", "–"]);
    const last = Math.max(STEPS, ...models.map(({ step }) => step));
    const flat = [0, last / 2, last].map((step) => [step, judged.optimum]);
    const drawn = models.map((model) => (active().includes(model) ? model.curve : []));
    scores.set(merge([flat, ...drawn]));
  }

  const body = h(
    "div",
    { class: "demo-body" },
    h(
      "p",
      { class: "demo-hint" },
      "Drag the particle, or move the slider with the arrow keys. Smooth lines are the exact laws, " +
        "filled steps are samples of the model in training; a diamond is the only answer of a " +
        "deterministic one.",
    ),
    plot.element,
    at.element,
    h("div", { class: "demo-row" }, train, pause, again, seed.element, exact.element, two.element),
    live.element,
    ...models.map(({ progress }) => progress),
    h(
      "div",
      { class: "demo-scroll", tabindex: "0", role: "group", "aria-label": "scores at this place" },
      h(
        "table",
        { class: "demo-table" },
        h(
          "caption",
          {},
          "Expected CRPS at this place: low is good, and nothing beats the exact law",
        ),
        h(
          "thead",
          {},
          h("tr", {}, ...["", "future", "past"].map((name) => h("th", { scope: "col" }, name))),
        ),
        h("tbody", {}, optimum.element, ...models.map((model) => model.line.element)),
      ),
    ),
    h("div", { class: "demo-charts" }, scores.element),
  );
  models.forEach(listen);
  readAddress(section, controls);
  placed = at.get();
  live.say(QUESTION);
  refresh();
  section.demo = {
    compare: (settings, weights, steps) =>
      models[0].worker.ask({ kind: "compare", settings, weights, steps }),
  };
  fill(section, body);
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
