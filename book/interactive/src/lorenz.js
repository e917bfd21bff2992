// The Lorenz explorer: choose a state, and see what the model makes of its future and its past.
import { PerspectiveCamera, Spherical, Vector3 } from "three";
import code from "worker:lorenz-worker";
import { latest, startWorker } from "./host.js";
import { DT, STATES, later, orbit } from "./system.js";
import {
  brief, canvas, choice, color, fill, h, liveRegion, readAddress, slider, writeAddress,
} from "./ui.js";
import { arrival } from "./weights.js";

const NAME = "lorenz";
const CENTER = new Vector3(0, 0, 25), DISTANCE = 88, FARTHEST = 40, GRIP = 22, SLOP = 8;
const STYLES = { // color, width, dash
  truth: ["text", 1.5, []], seen: ["text", 4, []], forecast: ["run-0", 2.5, [7, 4]],
  past: ["run-1", 2.5, [2, 3]], straight: ["third", 2, [10, 3, 2, 3]],
  neighbor: ["fourth", 1.5, [4, 2]],
};
const KEYS = [
  ["seen", "window the model sees"], ["truth", "truth"], ["forecast", "forecast"],
  ["past", "inferred past"], ["straight", "straight on (one window)"], ["neighbor", "near neighbor"],
];

function build(section) {
  const live = liveRegion();
  const redo = () => { writeAddress(section, controls); compute(); };
  const look = () => { writeAddress(section, controls); view.redraw(); };
  const controls = {
    x: slider("start x", [-FARTHEST, FARTHEST, 0.1], 1, redo, 1),
    y: slider("start y", [-FARTHEST, FARTHEST, 0.1], 1, redo, 1),
    z: slider("start z", [-FARTHEST, 2 * FARTHEST, 0.1], 20, redo, 1),
    settle: slider("time to settle", [0, 30, 0.1], 0, redo, 1),
    ahead: slider("windows ahead", [1, 8, 1], 2, redo, 0),
    back: slider("windows back", [0, 3, 1], 1, redo, 0),
    near: choice("near neighbor", [["0", "none"], ["0.000001", "0.000001 away"],
      ["0.001", "0.001 away"], ["0.1", "0.1 away"], ["1", "1 away"]], "0.1", redo),
    turn: slider("turn", [-180, 180, 1], 40, look, 0),
    tilt: slider("tilt", [5, 175, 1], 75, look, 0),
  };
  let scene = null, worker = null, loaded = false, drag = null;

  const attractor = orbit(later([1, 1, 20], 20), 2500); // faint, for the eye
  const camera = new PerspectiveCamera(40, 1, 1, 1000);
  camera.up.set(0, 0, 1);
  const aim = (width, height) => {
    const place = new Spherical(DISTANCE, (controls.tilt.get() * Math.PI) / 180,
      (controls.turn.get() * Math.PI) / 180);
    // three.js counts the tilt from y; this system's upright axis is z
    const at = new Vector3().setFromSpherical(place);
    camera.position.set(at.z, at.x, at.y).add(CENTER);
    camera.aspect = width / height;
    camera.lookAt(CENTER);
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
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
    const line = (states, [name, thick, dash]) => {
      context.beginPath();
      states.forEach((state, i) => context[i ? "lineTo" : "moveTo"](...onScreen(state, width, height)));
      context.strokeStyle = color(name);
      context.lineWidth = thick;
      context.setLineDash(dash);
      context.stroke();
    };
    context.lineJoin = "round";
    line(attractor, ["grid", 1, []]);
    axes(context, line, width, height);
    for (const name of ["neighbor", "truth", "straight", "past", "forecast", "seen"]) {
      if (scene[name]?.length) line(scene[name], STYLES[name]);
    }
    context.setLineDash([]);
    const mark = (state, name, radius, filled) => {
      context.beginPath();
      context.arc(...onScreen(state, width, height), radius, 0, 7);
      context.strokeStyle = context.fillStyle = color(name);
      context.lineWidth = 2;
      context[filled ? "fill" : "stroke"]();
    };
    mark(scene.seen.at(-1), "text", 4, true);
    mark(start(), "run-0", GRIP / 2, false);
    mark(start(), "run-0", 3, true);
  }
  function axes(context, line, width, height) {
    const origin = [-30, -30, 0];
    context.font = "13px sans-serif";
    ["x", "y", "z"].forEach((name, i) => {
      const end = origin.map((v, k) => v + (k === i ? 18 : 0));
      line([origin, end], ["grid-strong", 1.5, []]);
      context.fillStyle = color("text");
      context.fillText(name, ...onScreen(end, width, height));
    });
  }
  const view = canvas({
    class: "demo-space", tabindex: "0", role: "img", "aria-label": "The trajectory in space.",
  }, draw);
  const at = (event) => {
    const box = view.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top, box.width, box.height];
  };
  view.element.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary) return; // two fingers magnify the page
    const [x, y, width, height] = at(event), [hx, hy] = onScreen(start(), width, height);
    drag = {
      state: Math.hypot(x - hx, y - hy) < GRIP, x, y,
      turn: controls.turn.get(), tilt: controls.tilt.get(), // a finger may yet mean to scroll
      held: event.pointerType === "touch",
    };
    view.element.setPointerCapture(event.pointerId);
  });
  view.element.addEventListener("pointermove", (event) => {
    if (!drag || !event.isPrimary) return;
    const [x, y, width, height] = at(event);
    if (drag.state) { // along the plane through the start that faces the reader
      const depth = new Vector3(...start()).project(camera).z;
      const p = new Vector3((2 * x) / width - 1, 1 - (2 * y) / height, depth).unproject(camera);
      for (const axis of ["x", "y", "z"]) controls[axis].set(p[axis]);
      redo();
    } else {
      const [right, down] = [Math.abs(x - drag.x), Math.abs(y - drag.y)];
      if (drag.held && Math.max(right, down) < SLOP) return;
      if (drag.held && down >= right) { drag = null; return; } // the page's own scrolling
      drag.held = false;
      // from where the drag began: whole degrees would swallow small moves one by one
      const turned = drag.turn - (x - drag.x) / 2;
      controls.turn.set(turned - 360 * Math.round(turned / 360));
      controls.tilt.set(drag.tilt - (y - drag.y) / 2);
      look();
    }
  });
  view.element.addEventListener("touchstart", (event) => { // else the page would scroll
    const [x, y, width, height] = at(event.touches[0]), [hx, hy] = onScreen(start(), width, height);
    if (Math.hypot(x - hx, y - hy) < GRIP) event.preventDefault();
  }, { passive: false });
  view.element.addEventListener("pointerup", () => { drag = null; });
  view.element.addEventListener("pointercancel", () => { // the browser scrolls: nothing was turned
    if (drag && !drag.state) {
      controls.turn.set(drag.turn);
      controls.tilt.set(drag.tilt);
      view.redraw();
    }
    drag = null;
  });
  view.element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const [name, by] = { ArrowLeft: ["turn", 5], ArrowRight: ["turn", -5], ArrowUp: ["tilt", 5],
      ArrowDown: ["tilt", -5] }[event.key] ?? [];
    if (!name) return;
    event.preventDefault();
    controls[name].set(controls[name].get() + by);
    look();
  });

  const rms = (guess, truth) => {
    const sums = guess.map((state, i) => state.reduce((a, v, k) => a + (v - truth[i][k]) ** 2, 0));
    return Math.sqrt(sums.reduce((a, b) => a + b, 0) / sums.length);
  };
  const states = (windows) => windows.flatMap((window) =>
    Array.from({ length: STATES }, (_, i) => window.slice(3 * i, 3 * i + 3)));
  const ask = (question) => worker.ask({ kind: "guess", ...question });

  /** The true states for the controls, and where the window begins that the model sees. */
  function truth() {
    const back = controls.back.get(), count = STATES * (back + 1 + controls.ahead.get());
    const first = later(start(), controls.settle.get());
    return { all: orbit(first, count), first, from: STATES * back, count };
  }
  const compute = latest(async () => {
    if (!loaded) return;
    const { all, first, from, count } = truth();
    const seen = all.slice(from, from + STATES), [before, last] = seen.slice(-2);
    const found = await ask(
      { window: seen.flat(), ahead: controls.ahead.get(), back: controls.back.get() });
    const straight = Array.from({ length: STATES }, (_, i) =>
      last.map((v, k) => v + (i + 1) * (v - before[k])));
    const near = Number(controls.near.get());
    const neighbor = near ? orbit([first[0] + near, first[1], first[2]], count) : [];
    scene = {
      truth: all, seen, straight: [last, ...straight], neighbor,
      forecast: [last, ...states(found.ahead)],
      past: found.back.length ? [...states([...found.back].reverse()), seen[0]] : [],
    };
    tell(scene, all, from, found);
    view.redraw();
  });
  const table = h("tbody", {});
  function tell({ forecast, straight, neighbor }, all, from, found) {
    const future = all.slice(from + STATES), last = all[from + STATES - 1];
    const part = (list, i) => list.slice(i * STATES, (i + 1) * STATES);
    const rows = found.ahead.map((_, i) => {
      const goal = part(future, i);
      return [`${i + 1} ahead`, rms(part(forecast.slice(1), i), goal), rms(goal.map(() => last), goal),
        i ? null : rms(straight.slice(1), goal)];
    });
    found.back.forEach((window, i) => {
      const goal = all.slice(from - (i + 1) * STATES, from - i * STATES);
      const first = all[from];
      rows.push([`${i + 1} back`, rms(states([window]), goal), rms(goal.map(() => first), goal), null]);
    });
    table.replaceChildren(...rows.map(([name, ...values]) => h("tr", {},
      h("th", { scope: "row" }, name),
      ...values.map((value) => h("td", {}, value === null ? "–" : brief(value))))));
    const [, ours, copy, line] = rows[0];
    let text = `One window ahead (${STATES * DT} time units) the forecast is off by ${brief(ours)}, ` +
      `copying the last state by ${brief(copy)}, the straight line by ${brief(line)}.`;
    if (neighbor.length) {
      const gap = Math.hypot(...neighbor.at(-1).map((v, k) => v - all.at(-1)[k]));
      text += ` The neighbor began ${controls.near.get()} away and ends ${brief(gap)} away.`;
    }
    live.say(text);
    view.element.setAttribute("aria-label", `The trajectory in space. ${text}`);
  }

  const body = h("div", { class: "demo-body" },
    h("p", { class: "demo-hint" }, "Drag the ringed point to move the start, anything else to turn. " +
      "A finger turns it sideways first: straight up and down scrolls the page. " +
      "Every slider does the same from the keyboard; arrow keys turn the picture."),
    view.element,
    h("p", { class: "demo-legend" }, ...KEYS.map(([name, text]) =>
      h("span", { class: "demo-entry" }, swatch(name), text)),
    h("span", { class: "demo-entry" }, h("span", { class: "demo-dot", "aria-hidden": "true" }),
      "last state, which copying repeats")),
    live.element,
    h("div", { class: "demo-grid" }, ...Object.values(controls).map((one) => one.element)),
    h("div", { class: "demo-scroll", tabindex: "0", role: "group", "aria-label": "errors by window" },
      h("table", { class: "demo-table" },
        h("caption", {}, "Root mean square distance from the truth, in the system's units"),
        h("thead", {}, h("tr", {}, ...["window", "model", "copy the nearest state", "straight on"].map(
          (name) => h("th", { scope: "col" }, name)))), table)));
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

/** A piece of a line as the picture draws it. */
function swatch(name) {
  const [ink, thick, dash] = STYLES[name];
  const { element } = canvas({ class: "demo-swatch", "aria-hidden": "true" }, (context, width, height) => {
    context.clearRect(0, 0, width, height);
    context.beginPath();
    context.moveTo(0, height / 2);
    context.lineTo(width, height / 2);
    [context.strokeStyle, context.lineWidth] = [color(ink), thick];
    context.setLineDash(dash);
    context.stroke();
  });
  return element;
}

for (const section of document.querySelectorAll(`[data-demo=${NAME}]`)) build(section);
