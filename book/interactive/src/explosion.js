// The explosion lab: BiJEPA trained on sine waves in the page, two runs side by side.
import code from "worker:explosion-worker";
import { chart } from "./chart.js";
import { startWorker } from "./host.js";
import {
  brief, button, checkbox, choice, fill, h, liveRegion, readAddress, slider, writeAddress,
} from "./ui.js";

const NAME = "explosion";
const numbers = (values) => values.map((value) => [String(value), String(value)]);
const PRESETS = {
  unconstrained: { norm: false, sphere: false, decay: "0", alpha: 0.5 },
  expressive: { norm: true, sphere: false, decay: "0.0001", alpha: 0.5 },
  "restrictive (sphere)": { norm: true, sphere: true, decay: "0.0001", alpha: 0.5 },
  classic: { norm: true, sphere: false, decay: "0.0001", alpha: 1 },
};
const USUAL = { tau: "0.995", rate: "0.001", stop: true };

/** The controls of one run, and what it has been through. */
function panel(letter, preset, changed) {
  const mark = () => { presets.set("own"); changed(); };
  const controls = {
    norm: checkbox("LayerNorm", false, mark),
    sphere: checkbox("sphere", false, mark),
    stop: checkbox("stop-gradient", true, mark),
    decay: choice("weight decay", numbers([0, 1e-4, 1e-3, 1e-2, 1e-1, 1]), "0", mark),
    tau: choice("tau", numbers([0, 0.9, 0.99, 0.995, 0.999, 1]), "0.995", mark),
    rate: choice("learning rate", numbers([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1]), "0.001", mark),
    alpha: slider("alpha", [0, 1, 0.05], 0.5, mark),
  };
  const apply = (name) => {
    const values = { ...USUAL, ...PRESETS[name] };
    for (const [key, value] of Object.entries(values)) controls[key].set(value);
  };
  const names = [...Object.keys(PRESETS), "own"].map((name) => [name, name]);
  const presets = choice("configuration", names, preset, () => {
    if (presets.get() !== "own") apply(presets.get());
    changed();
  });
  apply(preset);
  const matches = () => {
    const own = Object.keys(PRESETS).find((name) =>
      Object.entries({ ...USUAL, ...PRESETS[name] }).every(([k, v]) => controls[k].get() === v));
    presets.set(own ?? "own");
  };
  const progress = h("p", { class: "demo-progress" }, "not trained yet");
  return {
    letter, controls, progress, matches,
    element: h("fieldset", { class: `demo-run demo-run-${letter.toLowerCase()}` },
      h("legend", {}, `Run ${letter}`), presets.element,
      ...Object.values(controls).map((one) => one.element), progress),
    settings: () => ({
      layerNorm: controls.norm.get(), sphere: controls.sphere.get(),
      stopGradient: controls.stop.get(), decay: Number(controls.decay.get()),
      tau: Number(controls.tau.get()), rate: Number(controls.rate.get()),
      alpha: controls.alpha.get(),
    }),
  };
}

function build(section) {
  const live = liveRegion();
  const changed = () => { writeAddress(section, all); };
  const runs = [panel("A", "unconstrained", changed), panel("B", "expressive", changed)];
  const two = checkbox("second run beside it", true, () => {
    runs[1].element.hidden = !two.get();
    changed();
  });
  const seed = choice("seed", numbers([0, 1, 2, 3, 4, 5, 6, 7]), "0", changed);
  const steps = choice("steps", [["2000", "2,000 (the paper's)"], ["5000", "5,000"],
    ["20000", "20,000"]], "2000", changed);
  const all = { seed, steps, two };
  for (const run of runs) {
    for (const [key, one] of Object.entries(run.controls)) all[run.letter.toLowerCase() + key] = one;
  }

  const curves = runs.map((run, i) => ({ name: `run ${run.letter}`, color: `run-${i}`, dash: i }));
  const charts = {
    loss: chart("loss (means of 20 steps)", curves, { log: true }),
    relative: chart("relative loss", curves, { log: true }),
    norm: chart("norm of the embedding", curves),
    rank: chart("effective rank", curves),
    wave: chart("one unseen wave (dotted: what was to be forecast), and what is read off each prediction", [
      { name: "context", color: "text", dash: 0 }, { name: "truth", color: "text", dash: 2 },
      ...curves,
    ], { wide: true }),
  };

  const active = () => (two.get() ? runs : runs.slice(0, 1));
  function listen(run) {
    run.data = { loss: [], rows: [] };
    run.worker = startWorker(section, code, (said) => hear(run, said), () => {
      run.state = "failed";
      run.progress.textContent = "stopped";
      refresh();
    });
  }
  function hear(run, said) {
    if (said.kind === "progress") {
      for (const [step, loss] of said.found) run.data.loss[step] = loss;
      run.data.rows.push(...said.rows);
      if (said.forecasts) run.data.waves = said.forecasts;
      run.step = said.step;
      run.progress.textContent = `step ${said.step.toLocaleString("en-US")} of ` +
        `${Number(steps.get()).toLocaleString("en-US")}, ${Math.round(said.rate)} steps a second`;
      schedule();
    }
    if (said.kind === "diverged") {
      run.state = "diverged";
      run.progress.textContent = `diverged: the loss is no number at step ${said.step}`;
    }
    if (said.kind === "done") run.state = said.step < Number(steps.get()) ? "paused" : "done";
    if (["diverged", "done"].includes(said.kind)) { refresh(); summarize(); }
  }

  const smooth = (loss) => {
    const found = [];
    for (let i = 0; i + 20 <= loss.length; i += 20) {
      found.push([i + 10, loss.slice(i, i + 20).reduce((a, b) => a + b, 0) / 20]);
    }
    return found;
  };
  function merge(lists) {
    const xs = [...new Set(lists.flatMap((list) => list.map(([x]) => x)))].sort((a, b) => a - b);
    const maps = lists.map((list) => new Map(list));
    return [xs, ...maps.map((map) => xs.map((x) => map.get(x) ?? null))];
  }
  let planned = false;
  function schedule() {
    if (planned) return;
    planned = true;
    setTimeout(() => requestAnimationFrame(draw), 80);
  }
  function draw() {
    planned = false;
    const data = runs.map((run) => (two.get() || run === runs[0] ? run.data : null));
    charts.loss.set(merge(data.map((one) => (one ? smooth(one.loss) : []))));
    for (const key of ["relative", "norm", "rank"]) {
      charts[key].set(merge(data.map((one) => (one?.rows ?? []).map((r) => [r.step, r[key]]))));
    }
    const waves = data.map((one) => one?.waves), any = waves.find(Boolean);
    if (any) {
      const after = (values) => values.map((y, i) => [10 + i, y]);
      charts.wave.set(merge([any.context.map((y, i) => [i, y]), after(any.truth),
        ...waves.map((one) => (one ? after(one.drawn) : []))]));
    }
  }
  const last = (run) => run.data.rows.at(-1);
  function summary(run) {
    if (run.state === "diverged") return `Run ${run.letter} diverged after ${run.step} steps.`;
    const row = last(run);
    if (!row) return `Run ${run.letter} has not begun.`;
    const tail = run.data.loss.slice(-100);
    const loss = tail.reduce((a, b) => a + b, 0) / tail.length;
    return `Run ${run.letter} after ${run.step.toLocaleString("en-US")} steps: loss ${brief(loss)}, ` +
      `relative loss ${brief(row.relative)}, norm ${brief(row.norm)}, ` +
      `effective rank ${brief(row.rank)}.`;
  }
  function summarize() {
    if (active().some((run) => run.state === "running")) return;
    const text = active().map(summary).join(" ");
    live.say(text);
    for (const one of Object.values(charts)) one.describe(text);
  }

  function start(only) {
    for (const run of active()) {
      run.data = { loss: [], rows: [] };
      [run.step, run.state] = [0, "running"];
      run.progress.textContent = "starting";
      const end = only ?? Number(steps.get());
      run.worker.tell(
        { kind: "start", settings: run.settings(), seed: Number(seed.get()), end });
    }
    live.say("Training.");
    refresh();
    schedule();
  }
  function proceed(kind) {
    for (const run of active()) {
      const end = Number(steps.get());
      if (run.state !== "paused" || run.step >= end) continue;
      run.state = "running";
      run.worker.tell({ kind, end, seed: Number(seed.get()) });
    }
    refresh();
  }
  const begun = () => active().some((run) => run.state === "paused");
  const train = button("Train", () => (begun() ? proceed("go") : start()), { class: "demo-button demo-main" });
  const pause = button("Pause", () => {
    for (const run of active()) {
      if (run.state === "running") run.worker.tell({ kind: "pause" });
    }
  });
  const step = button("One step", () => (begun() ? proceed("step") : start(1)));
  const again = button("Restart", () => start());
  function refresh() {
    const is = (state) => active().some((run) => run.state === state);
    const [running, failed] = [is("running"), is("failed")];
    train.textContent = begun() ? "Go on" : "Train";
    train.disabled = step.disabled = running || failed;
    pause.disabled = !running || failed;
    again.disabled = failed;
  }

  const body = h("div", { class: "demo-body" },
    h("div", { class: "demo-runs" }, ...runs.map((run) => run.element)),
    h("div", { class: "demo-row" }, seed.element, steps.element, two.element),
    h("div", { class: "demo-row" }, train, pause, step, again),
    live.element,
    h("p", { class: "demo-legend" },
      h("span", { class: "demo-key demo-key-a" }), "run A ",
      h("span", { class: "demo-key demo-key-b" }), "run B"),
    h("div", { class: "demo-charts" }, ...Object.values(charts).map((one) => one.element)));
  runs.forEach(listen);
  readAddress(section, all);
  runs.forEach((run) => run.matches());
  runs[1].element.hidden = !two.get();
  live.say("Press Train. A run of 2,000 steps takes some seconds.");
  refresh();

  section.demo = {
    compare: async (settings, weights, pairs) =>
      (await runs[0].worker.ask({ kind: "compare", settings, weights, pairs })).terms,
  };
  fill(section, body);
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
