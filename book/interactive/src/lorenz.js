// The Lorenz explorer: choose a state, and see what the model makes of its future and its past.

import code from "worker:lorenz-worker";
import { Box3, PerspectiveCamera, Spherical, Vector3 } from "three";
import { chart, merge } from "./chart.js";
import { latest, startWorker } from "./host.js";
import { DASHED, DOTTED, SOLID, together } from "./looks.js";
import { beside, DT, distance, EXPONENT, later, orbit, race, STATES } from "./system.js";
import { brief, counted } from "./text.js";
import {
  button,
  canvas,
  choice,
  color,
  entry,
  fill,
  h,
  liveRegion,
  readAddress,
  slider,
  swatch,
  take,
  writeAddress,
} from "./ui.js";
import { arrival } from "./weights.js";

const NAME = "lorenz";
const AHEAD = 12,
  BACK = 4,
  WINDOW = STATES * DT; // windows at most; time units of one
const NEAREST = 80,
  FARTHEST_OFF = 500,
  FIELD = 40,
  FARTHEST = 40,
  GRIP = 22,
  SLOP = 8;
const GAPS = [1e-6, 1e-3, 0.1, 1],
  RACE = 25 / EXPONENT; // of the neighbors, and how long they run
const PACE = 2,
  TAIL = 60; // time units a second; states that a runner leaves behind
const RUNNERS = together(GAPS);
const GROWTH = { name: "e-fold a Lyapunov time", ink: "grid-strong", dash: DOTTED, width: 1.5 };
const [neighbor, expressive, classic] = together(["neighbor", "expressive", "classic"]);
const [straight] = together(["extrapolate"]);
/** What is drawn in space, from the back to the front: the truth on top of what meets it. */
const PENS = {
  way: { ink: "text", dash: [1, 4], width: 1 },
  neighbor: { ...neighbor, width: 1.5 },
  straight,
  past: { ...expressive, width: 1.5 },
  forecast: { ...expressive, width: 3.5 },
  classic: { ...classic, width: 2.5 },
  truth: { ink: "text", dash: SOLID, width: 1.25 },
  seen: { ink: "text", dash: SOLID, width: 4 },
};
const LAST = { name: "last state", ink: "text", dash: DASHED };
const KEYS = [
  ["seen", "window the models see"],
  ["truth", "truth"],
  ["way", "the way there from the start"],
  ["forecast", "forecast, expressive"],
  ["past", "inferred past, expressive"],
  ["classic", "forecast, classic"],
  ["straight", "straight on (one window)"],
  ["neighbor", "near neighbor"],
];

function build(section) {
  const live = liveRegion();
  const redo = () => {
    leave();
    writeAddress(section, controls);
    compute();
  };
  const look = () => {
    writeAddress(section, controls);
    view.redraw();
  };
  const controls = {
    x: slider("start x", [-FARTHEST, FARTHEST, 0.1], 7.7, redo, 1),
    y: slider("start y", [-FARTHEST, FARTHEST, 0.1], 10.6, redo, 1),
    z: slider("start z", [-FARTHEST, 2 * FARTHEST, 0.1], 21.3, redo, 1),
    settle: slider("time to settle", [0, 30, 0.1], 0.8, redo, 1),
    ahead: slider("windows ahead", [1, AHEAD, 1], 4, redo, 0),
    back: slider("windows back", [0, BACK, 1], 1, redo, 0),
    near: choice(
      "near neighbor",
      [
        ["0", "none"],
        ["0.000001", "0.000001 away"],
        ["0.001", "0.001 away"],
        ["0.1", "0.1 away"],
        ["1", "1 away"],
      ],
      "0.1",
      redo,
    ),
    turn: slider("turn", [-180, 180, 1], -60, look, 0),
    tilt: slider("tilt", [5, 175, 1], 75, look, 0),
  };
  let scene = null,
    worker = null,
    loaded = false,
    drag = null,
    far = NEAREST;
  let runners = null,
    clock = 0,
    playing = false; // the race, and its time

  const attractor = orbit(later([1, 1, 20], 20), 2500); // faint, for the eye
  const center = new Vector3();
  const camera = new PerspectiveCamera(FIELD, 1, 1, 1000);
  camera.up.set(0, 0, 1);
  const place = (width, height) => {
    const from = new Spherical(
      far,
      (controls.tilt.get() * Math.PI) / 180,
      (controls.turn.get() * Math.PI) / 180,
    );
    // three.js counts the tilt from y; this system's upright axis is z
    const at = new Vector3().setFromSpherical(from);
    camera.position.set(at.z, at.x, at.y).add(center);
    camera.aspect = width / height;
    camera.lookAt(center);
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
  };
  /** Look at the middle of all there is to see, from where all of it is in the picture. */
  const aim = (width, height) => {
    if (!drag?.state) {
      // else the picture would slip away under the hand
      const shown = [...attractor, start(), ...(scene?.truth ?? [])].map(
        (state) => new Vector3(...state),
      );
      new Box3().setFromPoints(shown).getCenter(center);
      const inside = ({ x, y }) => Math.abs(x) < 0.92 && Math.abs(y) < 0.92;
      for (far = NEAREST; far < FARTHEST_OFF; far *= 1.05) {
        place(width, height);
        if (shown.every((state) => inside(state.clone().project(camera)))) break;
      }
    }
    place(width, height);
  };
  const onScreen = (state, width, height) => {
    const p = new Vector3(...state).project(camera);
    return [((p.x + 1) / 2) * width, ((1 - p.y) / 2) * height];
  };
  const start = () => ["x", "y", "z"].map((axis) => controls[axis].get());

  function draw(context, width, height) {
    aim(width, height);
    context.clearRect(0, 0, width, height);
    if (!scene) return;
    const line = (states, pen) => {
      context.beginPath();
      for (const state of states) context.lineTo(...onScreen(state, width, height)); // the first: moves
      take(context, pen);
      context.stroke();
    };
    context.lineJoin = "round";
    line(attractor, { ink: "grid", dash: SOLID, width: 1 });
    axes(context, line, width, height);
    const mark = (state, ink, radius, filled) => {
      context.setLineDash([]);
      context.beginPath();
      context.arc(...onScreen(state, width, height), radius, 0, 7);
      context.strokeStyle = context.fillStyle = color(ink);
      context.lineWidth = 2;
      context[filled ? "fill" : "stroke"]();
    };
    if (runners) {
      const now = Math.round(clock / DT);
      runners.forEach((states, i) => {
        const ink = i ? RUNNERS[i - 1].ink : "text";
        line(states.slice(Math.max(now - TAIL, 0), now + 1), {
          ink,
          dash: SOLID,
          width: i ? 2 : 4,
        });
        mark(states[now], ink, i ? 5 : 7, true);
      });
      return;
    }
    for (const [name, pen] of Object.entries(PENS)) {
      if (scene[name]?.length) line(scene[name], pen);
    }
    mark(scene.seen.at(-1), "text", 4, true);
    mark(start(), "accent", GRIP / 2, false);
    mark(start(), "accent", 3, true);
  }
  function axes(context, line, width, height) {
    const origin = [-22, -24, 4];
    context.font = "13px sans-serif";
    ["x", "y", "z"].forEach((name, i) => {
      const end = origin.map((v, k) => v + (k === i ? 12 : 0));
      line([origin, end], { ink: "grid-strong", dash: SOLID, width: 1.5 });
      context.fillStyle = color("text");
      context.fillText(name, ...onScreen(end, width, height));
    });
  }
  const view = canvas(
    {
      class: "demo-space",
      tabindex: "0",
      role: "img",
      "aria-label": "The trajectory in space.",
    },
    draw,
  );
  const at = (event) => {
    const box = view.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top, box.width, box.height];
  };
  view.element.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary) return; // two fingers magnify the page
    const [x, y, width, height] = at(event),
      [hx, hy] = onScreen(start(), width, height);
    drag = {
      state: Math.hypot(x - hx, y - hy) < GRIP,
      x,
      y,
      turn: controls.turn.get(),
      tilt: controls.tilt.get(), // a finger may yet mean to scroll
      held: event.pointerType === "touch",
    };
    view.element.setPointerCapture(event.pointerId);
  });
  view.element.addEventListener("pointermove", (event) => {
    if (!drag || !event.isPrimary) return;
    const [x, y, width, height] = at(event);
    if (drag.state) {
      // along the plane through the start that faces the reader
      const depth = new Vector3(...start()).project(camera).z;
      const p = new Vector3((2 * x) / width - 1, 1 - (2 * y) / height, depth).unproject(camera);
      for (const axis of ["x", "y", "z"]) controls[axis].set(p[axis]);
      redo();
    } else {
      const [right, down] = [Math.abs(x - drag.x), Math.abs(y - drag.y)];
      if (drag.held && Math.max(right, down) < SLOP) return;
      if (drag.held && down >= right) {
        drag = null;
        return;
      } // the page's own scrolling
      drag.held = false;
      // from where the drag began: whole degrees would swallow small moves one by one
      const turned = drag.turn - (x - drag.x) / 2;
      controls.turn.set(turned - 360 * Math.round(turned / 360));
      controls.tilt.set(drag.tilt - (y - drag.y) / 2);
      look();
    }
  });
  view.element.addEventListener(
    "touchstart",
    (event) => {
      // else the page would scroll
      const [x, y, width, height] = at(event.touches[0]),
        [hx, hy] = onScreen(start(), width, height);
      if (Math.hypot(x - hx, y - hy) < GRIP) event.preventDefault();
    },
    { passive: false },
  );
  view.element.addEventListener("pointerup", () => {
    drag = null;
    view.redraw();
  });
  view.element.addEventListener("pointercancel", () => {
    // the browser scrolls: nothing was turned
    if (drag && !drag.state) {
      controls.turn.set(drag.turn);
      controls.tilt.set(drag.tilt);
      view.redraw();
    }
    drag = null;
  });
  view.element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const [name, by] =
      {
        ArrowLeft: ["turn", 5],
        ArrowRight: ["turn", -5],
        ArrowUp: ["tilt", 5],
        ArrowDown: ["tilt", -5],
      }[event.key] ?? [];
    if (!name) return;
    event.preventDefault();
    controls[name].set(controls[name].get() + by);
    look();
  });

  const rms = (guess, truth) => {
    const sums = guess.map((state, i) => state.reduce((a, v, k) => a + (v - truth[i][k]) ** 2, 0));
    return Math.sqrt(sums.reduce((a, b) => a + b, 0) / sums.length);
  };
  const states = (windows) =>
    windows.flatMap((window) =>
      Array.from({ length: STATES }, (_, i) => window.slice(3 * i, 3 * i + 3)),
    );
  const ask = (question) => worker.ask({ kind: "guess", ...question });

  /**
   * The true states for the controls; the models see those `from` one on. It comes after the time
   * to settle, wherever the picture begins; before the start there is no past to compare with.
   */
  function truth() {
    const settle = controls.settle.get(),
      known = Math.min(BACK, Math.floor(settle / WINDOW + 1e-9));
    const first = later(start(), Math.max(settle - known * WINDOW, 0));
    const back = Math.min(controls.back.get(), known);
    const all = orbit(first, STATES * (known + 1 + controls.ahead.get()));
    return { all: all.slice(STATES * (known - back)), from: STATES * back };
  }
  const compute = latest(async () => {
    if (!loaded) return;
    const { all, from } = truth(),
      settle = controls.settle.get();
    const seen = all.slice(from, from + STATES),
      [before, last] = seen.slice(-2);
    const found = await ask({
      window: seen.flat(),
      ahead: controls.ahead.get(),
      back: controls.back.get(),
    });
    const straight = Array.from({ length: STATES }, (_, i) =>
      last.map((v, k) => v + (i + 1) * (v - before[k])),
    );
    const near = Number(controls.near.get()),
      future = all.length - from - STATES;
    const way = settle > 2 ? [] : [start(), ...orbit(start(), Math.round(settle / DT))]; // else a tangle
    scene = {
      truth: all,
      seen,
      straight: [last, ...straight],
      way,
      neighbor: near ? [beside(last, near), ...orbit(beside(last, near), future)] : [],
      forecast: [last, ...states(found.ahead)],
      classic: [last, ...states(found.classic)],
      past: found.back.length ? [...states([...found.back].reverse()), seen[0]] : [],
    };
    tell(scene, all, from, found);
    part(scene, all.slice(from + STATES - 1));
    view.redraw();
  });
  const table = h("tbody", {});
  function tell({ forecast, classic, straight, neighbor }, all, from, found) {
    const future = all.slice(from + STATES),
      last = all[from + STATES - 1];
    const part = (list, i) => list.slice(i * STATES, (i + 1) * STATES);
    const rows = found.ahead.map((_, i) => {
      const goal = part(future, i);
      return [
        `${i + 1} ahead`,
        rms(part(forecast.slice(1), i), goal),
        rms(part(classic.slice(1), i), goal),
        rms(
          goal.map(() => last),
          goal,
        ),
        i ? null : rms(straight.slice(1), goal),
      ];
    });
    found.back.forEach((window, i) => {
      const goal = all.slice(Math.max(from - (i + 1) * STATES, 0), Math.max(from - i * STATES, 0));
      const first = all[from];
      rows.push([
        `${i + 1} back`,
        ...(goal.length
          ? [
              rms(states([window]), goal),
              null,
              rms(
                goal.map(() => first),
                goal,
              ),
              null,
            ]
          : [null, null, null, null]),
      ]);
    });
    table.replaceChildren(
      ...rows.map(([name, ...values]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, name),
          ...values.map((value) => h("td", {}, value === null ? "–" : brief(value))),
        ),
      ),
    );
    const [, ours, theirs, copy, line] = rows[0],
      [far, oursThen, theirsThen] = rows[found.ahead.length - 1];
    let text =
      `One window ahead (${WINDOW} time units) the expressive model's forecast is off by ${brief(ours)}, ` +
      `classic JEPA's by ${brief(theirs)}, copying the last state by ${brief(copy)}, ` +
      `the straight line by ${brief(line)}.`;
    if (found.ahead.length > 1) {
      text += ` ${counted(parseInt(far, 10), "window")} ahead: ${brief(oursThen)} and ${brief(theirsThen)}.`;
    }
    if (neighbor.length) {
      const gap = distance(neighbor.at(-1), all.at(-1));
      text += ` The neighbor begins ${controls.near.get()} away and ends ${brief(gap)} away.`;
    }
    if (from < STATES * found.back.length)
      text += " Before the start there is no past to compare with.";
    live.say(text);
    view.element.setAttribute("aria-label", `The trajectory in space. ${text}`);
    ahead.describe(text);
  }

  const ahead = chart(
    "Distance of forecasts and neighbor from the truth",
    [
      { name: "expressive", ...expressive },
      { name: "classic", ...classic },
      LAST,
      { name: "neighbor", ...neighbor },
    ],
    { x: "time units ahead", y: "distance", log: true },
  );
  const racing = chart(
    "The race: distance of each neighbor from the truth",
    [...RUNNERS.map((look, i) => ({ name: `${GAPS[i]} away`, ...look })), GROWTH],
    { x: "Lyapunov times", y: "distance", log: true },
  );
  /** Both charts anew, for a truth that begins with the last state that is seen. */
  function part({ forecast, classic, neighbor }, future) {
    const gaps = (list) =>
      list.slice(1).map((state, i) => [(i + 1) * DT, distance(state, future[i + 1])]);
    ahead.set(
      merge([gaps(forecast), gaps(classic), gaps(future.map(() => future[0])), gaps(neighbor)]),
    );
    field = race(future[0], GAPS, RACE);
    lap(RACE);
  }
  let field = null; // the truth and its neighbors, all of the race
  const STRIDE = 5;
  /** The race up to a time. */
  function lap(time) {
    const [leader, ...others] = field,
      last = Math.round(time / DT);
    const at = leader.map((_, i) => i).filter((i) => i % STRIDE === 0);
    racing.set([
      at.map((i) => i * DT * EXPONENT),
      ...others.map((states) => at.map((i) => (i > last ? null : distance(states[i], leader[i])))),
      at.map((i) =>
        GAPS[0] * Math.exp(i * DT * EXPONENT) < 40 ? GAPS[0] * Math.exp(i * DT * EXPONENT) : null,
      ),
    ]);
  }
  function run(before) {
    if (!playing) return;
    requestAnimationFrame((now) => {
      if (!playing) return;
      const passed = Math.min(Math.max(now - before, 0), 100); // a frame may begin before the click
      clock = Math.min(clock + (PACE * passed) / 1000, RACE);
      lap(clock);
      view.redraw();
      if (clock === RACE) halt();
      else run(now);
    });
  }
  /** Stop, and say how far apart they are. */
  function halt() {
    playing = false;
    play.textContent = clock === RACE ? "Play again" : "Play on";
    const i = Math.round(clock / DT);
    live.say(
      `After ${brief(clock * EXPONENT)} Lyapunov times the neighbors that began ` +
        `${GAPS.join(", ")} away are ` +
        `${runners
          .slice(1)
          .map((states) => brief(distance(states[i], runners[0][i])))
          .join(", ")} away.`,
    );
  }
  const play = button(
    "Play the race",
    () => {
      if (playing) {
        halt();
        return;
      }
      if (!field) return;
      if (!runners || clock === RACE) [runners, clock] = [field, 0];
      [playing, play.textContent, back.hidden] = [true, "Pause", false];
      run(performance.now());
    },
    { class: "demo-button demo-main" },
  );
  const back = button(
    "Back to the forecasts",
    () => {
      leave();
      compute();
    },
    { hidden: true },
  );
  /** Leave the race. */
  function leave() {
    [playing, runners, back.hidden, play.textContent] = [false, null, true, "Play the race"];
  }

  const body = h(
    "div",
    { class: "demo-body" },
    h(
      "p",
      { class: "demo-hint" },
      "Drag the ringed point to move the start, anything else to turn. " +
        "A finger turns it sideways first: straight up and down scrolls the page. " +
        "Every slider does the same from the keyboard; arrow keys turn the picture. " +
        "Play lets the truth (thick) and four neighbors run from the last state that is seen.",
    ),
    view.element,
    h("div", { class: "demo-row" }, play, back),
    h(
      "p",
      { class: "demo-legend" },
      ...KEYS.map(([name, text]) => entry(PENS[name], text)),
      h(
        "span",
        { class: "demo-entry" },
        h("span", { class: "demo-dot", "aria-hidden": "true" }),
        swatch(LAST).element,
        "last state, which copying repeats",
      ),
    ),
    live.element,
    h("div", { class: "demo-charts" }, ahead.element, racing.element),
    h(
      "p",
      { class: "demo-legend" },
      "In the race, neighbors that begin",
      ...GAPS.map((gap, i) => entry(RUNNERS[i], `${gap} away`)),
      entry(GROWTH, "growth by e a Lyapunov time"),
    ),
    h("div", { class: "demo-grid" }, ...Object.values(controls).map((one) => one.element)),
    h(
      "div",
      { class: "demo-scroll", tabindex: "0", role: "group", "aria-label": "errors by window" },
      h(
        "table",
        { class: "demo-table" },
        h("caption", {}, "Root mean square distance from the truth, in the system's units"),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["window", "expressive", "classic", "copy the nearest state", "straight on"].map(
              (name) => h("th", { scope: "col" }, name),
            ),
          ),
        ),
        table,
      ),
    ),
  );
  readAddress(section, controls);
  live.say("Fetching the model.");
  worker = startWorker(section, code, () => {
    loaded = true;
    compute();
  });
  arrival("lorenz").then((packed) => worker.tell({ kind: "load", packed }));
  section.demo = { ask, truth, scene: () => scene };
  fill(section, body);
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
