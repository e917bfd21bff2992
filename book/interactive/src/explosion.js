// The explosion lab: BiJEPA, or a relative, trained on sine waves in the page, two runs side by side.
import code from "worker:explosion-worker";
import ghosts from "../weights/ghost.json";
import { chart, merge } from "./chart.js";
import { startWorker } from "./host.js";
import { DOTTED, SOLID, together } from "./looks.js";
import {
  counts,
  EXPERIMENTS,
  FALLS_TO,
  inWords,
  lossInWords,
  METHODS,
  PENALTIES,
  PRESETS,
  USUAL,
} from "./presets.js";
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
  swatch,
  writeAddress,
} from "./ui.js";

const NAME = "explosion";
const named = (values) => values.map((value) => [String(value), String(value)]);
const MEASURES = {
  loss: ["loss (means of 20 steps)", "loss", true],
  relative: ["relative loss", "relative loss", true],
  norm: ["norm of the embedding", "norm", false],
  variance: ["variance of the embedding over the batch", "variance", true],
  rank: ["effective rank", "rank", false],
};
const READINGS = { next: "next value", future: "whole target", context: "context" };
const RECORDED = {
  loss: "loss",
  relative: "relative_loss",
  norm: "norm",
  variance: "variance",
  rank: "effective_rank",
};

/** The controls of one run, and what it has been through; `curve` is how it is drawn. */
function panel(letter, preset, curve, changed) {
  const mark = () => {
    matches();
    changed();
  };
  const controls = {
    method: choice("method", named(Object.keys(METHODS)), "JEPA", mark),
    norm: checkbox("LayerNorm", false, mark),
    sphere: checkbox("sphere", false, mark),
    stop: checkbox("stop-gradient", true, mark),
    decay: choice("weight decay", named([0, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10]), "0", mark),
    tau: choice("tau", named([0, 0.9, 0.99, 0.995, 0.999, 1]), "0.995", mark),
    rate: choice("learning rate", named([1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1]), "0.001", mark),
    falling: checkbox(`rate falls to ${FALLS_TO} of it`, false, mark),
    whitening: choice("whitened targets", named([0, 0.2, 0.4, 0.6, 0.8, 1]), "0", mark),
    penalty: choice("penalty", named(Object.keys(PENALTIES)), "none", mark),
    weight: choice("penalty weight", named([1e-3, 1e-2, 1e-1, 1, 10]), "0.01", mark),
    alpha: slider("alpha", [0, 1, 0.05], 0.5, mark),
  };
  const values = () =>
    Object.fromEntries(Object.entries(controls).map(([key, one]) => [key, one.get()]));
  const loss = h("p", { class: "demo-loss" });
  const apply = (name, changes) => {
    for (const [key, value] of Object.entries({ ...PRESETS[name], ...changes }))
      controls[key].set(value);
    matches();
  };
  const presets = choice("configuration", named([...Object.keys(PRESETS), "own"]), preset, () => {
    if (presets.get() !== "own") apply(presets.get());
    changed();
  });
  const has = (name, changes) =>
    Object.entries({ ...PRESETS[name], ...changes }).every(
      ([key, value]) => controls[key].get() === value,
    );
  const model = () => Object.keys(PRESETS).find((name) => has(name)) ?? "own";
  /** Show what counts, and its preset; what does not count is as usual. */
  const matches = () => {
    for (const [key, one] of Object.entries(controls)) {
      one.element.hidden = !counts(key, values());
      if (one.element.hidden && key in USUAL) one.set(USUAL[key]);
    }
    loss.textContent = lossInWords(values());
    presets.set(model());
  };
  apply(preset);
  const progress = h("p", { class: "demo-progress" }, "not trained yet");
  const late = h(
    "p",
    { class: "demo-progress", hidden: true },
    "Settings have changed. They count from the next start: Train begins this run anew.",
  );
  const key = swatch(curve);
  return {
    letter,
    controls,
    progress,
    late,
    matches,
    apply,
    has,
    model,
    key,
    element: h(
      "fieldset",
      { class: "demo-run" },
      h("legend", { class: "demo-entry" }, `Run ${letter}`, key.element),
      presets.element,
      ...Object.values(controls).map((one) => one.element),
      loss,
      progress,
      late,
    ),
    /** What is trained with, for so many steps as are planned: a rate that falls depends on them. */
    settings: (over) => {
      const { norm, stop, decay, tau, rate, falling, whitening, weight, ...others } = values();
      const numbers = { decay, tau, rate, whitening, weight };
      for (const key of Object.keys(numbers)) numbers[key] = Number(numbers[key]);
      const falls = falling ? { over, to: FALLS_TO } : null;
      return { ...others, ...numbers, falls, layerNorm: norm, stopGradient: stop };
    },
  };
}

function build(section) {
  const live = liveRegion();
  const changed = () => {
    recognize();
    writeAddress(section, all);
    refresh();
  };
  const first = ["unconstrained", "expressive"];
  const curves = together(first).map((look, i) => ({ name: `run ${"AB"[i]}`, ...look }));
  const runs = first.map((preset, i) => panel("AB"[i], preset, curves[i], changed));
  const two = checkbox("second run beside it", true, changed);
  const ghost = checkbox("recorded runs, thin and pale", true, changed);
  const short = section.classList.contains("demo-short"); // there without exercises or switches
  const experiments = choice(
    "experiment",
    [...Object.keys(EXPERIMENTS), "own"]
      .filter((name) => !short || !/^(exercise|own)/.test(name))
      .map((name) => [name, name]),
    "own",
    () => {
      const chosen = EXPERIMENTS[experiments.get()];
      for (const [i, settings] of chosen?.entries() ?? []) runs[i].apply(...settings);
      if (chosen) two.set(true);
      changed();
    },
  );
  const recognize = () =>
    experiments.set(
      Object.keys(EXPERIMENTS).find(
        (name) => two.get() && EXPERIMENTS[name].every((settings, i) => runs[i].has(...settings)),
      ) ?? "own",
    );
  const seed = choice("seed", named([0, 1, 2, 3, 4, 5, 6, 7]), "0", changed);
  const steps = choice(
    "steps",
    [
      ["2000", "2,000 (the paper's)"],
      ["5000", "5,000"],
      ["20000", "20,000"],
    ],
    "2000",
    changed,
  );
  const all = { seed, steps, two, ghost };
  for (const run of runs) {
    for (const [key, one] of Object.entries(run.controls))
      all[run.letter.toLowerCase() + key] = one;
  }

  const recorded = together(Object.keys(ghosts)).map(({ pale, dash }, i) => ({
    name: `recorded: ${Object.keys(ghosts)[i]}`,
    ink: pale,
    dash,
    width: 1.25,
  }));
  const charts = Object.fromEntries(
    Object.entries(MEASURES).map(([key, [title, y, log]]) => [
      key,
      chart(title, [...recorded, ...curves], { x: "step", y, log }),
    ]),
  );
  const wave = chart(
    "one unseen wave (dotted: what was to be forecast), and what is read off each prediction, or " +
      "off the embedding where nothing predicts",
    [
      { name: "context", ink: "text", dash: SOLID },
      { name: "truth", ink: "text", dash: DOTTED },
      ...curves,
    ],
    { x: "sample", y: "height", wide: true },
  );
  const rows = runs.map(() => h("tr", {}));
  const head = ["run", ...Object.values(READINGS)].map((name) => h("th", { scope: "col" }, name));
  const table = h(
    "div",
    { class: "demo-scroll demo-readings", tabindex: "0", role: "group", "aria-label": "readings" },
    h(
      "table",
      { class: "demo-table" },
      h(
        "caption",
        {},
        "What a linear probe misses, reading the embedding of x: mean squared errors on unseen " +
          "waves. Whoever always says the mean misses 0.5; the noise is 0.0025.",
      ),
      h("thead", {}, h("tr", {}, ...head)),
      h("tbody", {}, ...rows),
    ),
  );
  wave.element.hidden = table.hidden = true; // until there is something to read

  const active = () => (two.get() ? runs : runs.slice(0, 1));
  function listen(run) {
    run.data = { loss: [], rows: [] };
    run.worker = startWorker(
      section,
      code,
      (said) => hear(run, said),
      () => {
        run.state = "failed";
        run.progress.textContent = "stopped";
        refresh();
      },
    );
  }
  function hear(run, said) {
    if (said.kind === "progress") {
      for (const [step, loss] of said.found) run.data.loss[step] = loss;
      run.data.rows.push(...said.rows);
      run.data.readings = said.readings ?? run.data.readings;
      run.step = said.step;
      run.progress.textContent =
        `step ${said.step.toLocaleString("en-US")} of ` +
        `${run.end.toLocaleString("en-US")}, ${Math.round(said.rate)} steps a second`;
      schedule();
    }
    if (said.kind === "diverged") {
      run.state = "diverged";
      run.progress.textContent = `diverged: the loss is no number at step ${said.step}`;
    }
    if (said.kind === "done" && run.state !== "diverged") {
      [run.state, run.step, run.last] = ["stopped", said.step, said.row];
      run.data.rows.push(said.row);
      run.data.readings = said.readings;
      schedule();
    }
    if (["diverged", "done"].includes(said.kind)) {
      refresh();
      summarize();
    }
  }

  const smooth = (loss) => {
    const found = [];
    for (let i = 0; i + 20 <= loss.length; i += 20) {
      found.push([i + 10, loss.slice(i, i + 20).reduce((a, b) => a + b, 0) / 20]);
    }
    return found;
  };
  let planned = false;
  function schedule() {
    if (planned) return;
    planned = true;
    setTimeout(() => requestAnimationFrame(draw), 80);
  }
  function draw() {
    planned = false;
    const data = runs.map((run) => (two.get() || run === runs[0] ? run.data : null));
    for (const [key, one] of Object.entries(charts)) {
      const shades = Object.values(ghosts).map((run) =>
        ghost.get()
          ? run[RECORDED[key]].map((y, i) => [run[key === "loss" ? "middle" : "step"][i], y])
          : [],
      );
      one.set(
        merge([
          ...shades,
          ...data.map((run) =>
            !run
              ? []
              : key === "loss"
                ? smooth(run.loss)
                : run.rows.map((row) => [row.step, row[key]]),
          ),
        ]),
      );
    }
    const readings = data.map((one) => one?.readings),
      waves = readings.map((one) => one?.wave),
      any = waves.find(Boolean);
    wave.element.hidden = table.hidden = !any;
    rows.forEach((row, i) => {
      row.hidden = !two.get() && i > 0;
      row.replaceChildren(
        h("th", { scope: "row" }, curves[i].name),
        ...Object.keys(READINGS).map((key) =>
          h("td", {}, readings[i] ? brief(readings[i].errors[key]) : "none"),
        ),
      );
    });
    if (any) {
      const after = (values) => values.map((y, i) => [10 + i, y]);
      wave.set(
        merge([
          any.context.map((y, i) => [i, y]),
          after(any.truth),
          ...waves.map((one) => (one ? after(one.drawn) : [])),
        ]),
      );
    }
  }
  function summary({ letter, state, step, last }) {
    if (state === "diverged") return `Run ${letter} diverged after ${counted(step, "step")}.`;
    if (!last) return `Run ${letter} has not begun.`;
    return (
      `Run ${letter} after ${counted(step, "step")}: loss ${brief(last.loss)}, ` +
      `${last.relative === null ? "" : `relative loss ${brief(last.relative)}, `}norm ${brief(last.norm)}, ` +
      `variance ${brief(last.variance)}, effective rank ${brief(last.rank)}.`
    );
  }
  function summarize() {
    if (active().some((run) => run.state === "running")) return;
    const text = active().map(summary).join(" ");
    live.say(text);
    for (const one of [...Object.values(charts), wave]) one.describe(text);
  }

  const settings = (run) => run.settings(Number(steps.get()));
  const wanted = (run) => JSON.stringify([settings(run), seed.get()]);
  const late = (run) => run.began !== undefined && run.began !== wanted(run);
  const open = (run) => run.state === "stopped" && run.step < Number(steps.get()) && !late(run);
  const fresh = (run) => run.state === undefined || late(run);

  function begin(run, kind) {
    run.data = { loss: [], rows: [] };
    Object.assign(run, { step: 0, last: null, state: "running", began: wanted(run) });
    run.drawn = described(run);
    run.end = kind === "step" ? 1 : Number(steps.get());
    run.progress.textContent = "starting";
    run.worker.tell({
      kind: "start",
      settings: settings(run),
      seed: Number(seed.get()),
      end: run.end,
    });
  }
  function proceed(run, kind) {
    run.state = "running";
    run.end = Number(steps.get());
    run.worker.tell({ kind, end: run.end });
  }
  /** Each run goes on; where it has not begun, or has been given other settings, it begins. */
  function move(kind) {
    const able = active().filter((run) => open(run) || fresh(run));
    for (const run of able.length ? able : active()) {
      if (open(run)) proceed(run, kind);
      else begin(run, kind);
    }
    live.say("Training.");
    refresh();
    schedule();
  }
  const train = button("Train", () => move("go"), { class: "demo-button demo-main" });
  const pause = button("Pause", () => {
    for (const run of active()) {
      if (run.state === "running") run.worker.tell({ kind: "pause" });
    }
  });
  const step = button("One step", () => move("step"), { class: "demo-button demo-switches" });
  const again = button("Restart", () => {
    for (const run of active()) begin(run, "go");
    live.say("Training.");
    refresh();
    schedule();
  });
  /** What the controls of a run ask for: a model, if it is one, and all of it in words. */
  function described(run) {
    const chosen = EXPERIMENTS[experiments.get()]?.[runs.indexOf(run)];
    return { model: run.model(), words: chosen ? inWords(chosen) : run.model() };
  }
  /** Curves and legend tell of what is drawn, which later settings do not change. */
  function dress() {
    const shown = active().map((run) => run.drawn ?? described(run));
    shown.forEach(({ words }, i) => {
      names[i].textContent = `${curves[i].name}: ${words}`;
    });
    const looks = together(shown.map(({ model }) => model));
    if (looks.every(({ ink, dash }, i) => curves[i].ink === ink && curves[i].dash === dash)) return;
    for (const [i, look] of looks.entries()) Object.assign(curves[i], look);
    for (const one of [...Object.values(charts), wave, ...swatches]) one.redraw();
  }
  function refresh() {
    const is = (state) => active().some((run) => run.state === state);
    const [running, failed] = [is("running"), is("failed")];
    train.textContent = active().some(open) && !active().some(fresh) ? "Go on" : "Train";
    train.disabled = step.disabled = running || failed;
    pause.disabled = !running || failed;
    again.disabled = failed;
    runs[1].element.hidden = !two.get();
    entries[1].hidden = !two.get();
    dress();
    for (const key of keys) key.hidden = !ghost.get();
    for (const run of runs) run.late.hidden = !late(run);
    schedule();
  }
  const names = runs.map(() => h("span", {}));
  const swatches = [...curves.map(swatch), ...runs.map((run) => run.key)];
  const entries = names.map((name, i) =>
    h("span", { class: "demo-entry" }, swatches[i].element, name),
  );
  const keys = recorded.map((one) => entry(one, one.name));

  const body = h(
    "div",
    { class: "demo-body" },
    h("div", { class: "demo-row demo-top" }, experiments.element),
    h("div", { class: "demo-runs" }, ...runs.map((run) => run.element)),
    h(
      "div",
      { class: "demo-row demo-switches" },
      ...[seed.element, steps.element, two.element, ghost.element],
    ),
    h("div", { class: "demo-row" }, train, pause, step, again),
    live.element,
    h("p", { class: "demo-legend" }, ...entries, ...keys),
    h(
      "div",
      { class: "demo-charts" },
      ...Object.values(charts).map((one) => one.element),
      wave.element,
    ),
    table,
  );
  runs.forEach(listen);
  readAddress(section, all);
  for (const run of runs) run.matches();
  recognize();
  live.say(
    "Thin and pale: two recorded runs of 2,000 steps. Press Train to see your own beside them; " +
      "it takes some seconds.",
  );
  refresh();

  section.demo = {
    compare: (given, weights, pairs) =>
      runs[0].worker.ask({ kind: "compare", settings: given, weights, pairs }),
  };
  fill(section, body);
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
