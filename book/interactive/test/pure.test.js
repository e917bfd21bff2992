// What the demos compute and write without a page. tests/site/test_sources.py runs it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { expectedScore, leastScore, middles, shares } from "../src/double-well.js";
import { together } from "../src/looks.js";
import { norm, relativeLoss, variance } from "../src/measures.js";
import {
  counts,
  EXPERIMENTS,
  inWords,
  lossInWords,
  METHODS,
  PENALTIES,
  PRESETS,
  USUAL,
} from "../src/presets.js";
import { normals, uniforms } from "../src/random.js";
import { distance, EXPONENT, later, orbit, race } from "../src/system.js";
import { aDigit, brief, counted, numberWithin, requests } from "../src/text.js";

test("numbers have three digits, and powers of ten far from one", () => {
  const wanted = {
    0: "0",
    1: "1",
    0.5: "0.5",
    2.71828: "2.72",
    1234.5: "1,230",
    0.00012345: "0.000123",
    "1.2345e33": "1.23 × 10³³",
    "-4.5e-12": "-4.50 × 10⁻¹²",
    NaN: "no number",
    Infinity: "no number",
  };
  for (const [value, text] of Object.entries(wanted)) assert.equal(brief(Number(value)), text);
});

test("counts and digits go with their words", () => {
  assert.deepEqual(
    [1, 0, 2000].map((n) => counted(n, "step")),
    ["1 step", "0 steps", "2,000 steps"],
  );
  assert.deepEqual([3, 8].map(aDigit), ["a 3", "an 8"]);
});

test("an address is taken apart at the first dot, and numbers stay in their limits", () => {
  assert.deepEqual(requests("x.-2.5~~nothing"), [
    { part: "x.-2.5", name: "x", value: "-2.5" },
    { part: "nothing", name: "nothing", value: "" },
  ]);
  const within = (text) => numberWithin(text, -40, 40);
  assert.deepEqual(["-2.5", "40", " ", "41", "NaN", "1e999", "two"].map(within), [
    -2.5,
    40,
    ...Array(5).fill(undefined),
  ]);
});

test("neighbors part by e a Lyapunov time", () => {
  const rates = Array.from({ length: 20 }, (_, i) => {
    const [leader, near] = race(later([1, 1, 20], 20 + 5 * i), [1e-9], 14);
    const gaps = leader.map((state, k) => distance(state, near[k]));
    assert.equal(gaps.length, 1401);
    assert.ok(Math.abs(gaps[0] - 1e-9) < 1e-14);
    return Math.log(gaps.at(-1) / gaps[0]) / 14;
  });
  const mean = rates.reduce((a, b) => a + b) / rates.length;
  assert.ok(Math.abs(mean - EXPONENT) < 0.15, String(mean));
});

test("an orbit is the same in one piece and in two", () => {
  const all = orbit([7, 8, 20], 40);
  assert.deepEqual(orbit(all[19], 20), all.slice(20));
});

test("a collapsed target has the relative loss 1, any other the share of its variance", () => {
  const spread = Float32Array.from([1, 5, 3, 5, 1, 5, 3, 5]); // four rows of two
  assert.equal(variance(spread, 2), 0.5);
  assert.equal(relativeLoss(0.1, spread, 2), 0.2);
  assert.equal(relativeLoss(1e-9, Float32Array.from([3, 5, 3, 5]), 2), 1);
  assert.equal(relativeLoss(NaN, Float32Array.from([3, 5, 3, 5]), 2), NaN);
  assert.ok(Math.abs(norm(Float32Array.from([3, 4, 0, 1]), 2) - 3) < 1e-12);
});

test("models keep their looks, and nothing that is drawn together is alike", () => {
  const look = (ink, ...dash) => ({ ink, dash });
  const [a, b, c] = [look("red"), look("blue", 3, 2), look("green")];
  const others = [look("teal", 7, 1), look("brown", 9, 1)];
  const shown = (...names) => together(names, { models: { a, b, c }, others });
  assert.deepEqual(shown("a", "b"), [a, b]);
  assert.deepEqual(shown("b", "a"), [b, a]);
  assert.deepEqual(shown("none", "a"), [others[0], a]);
  assert.deepEqual(shown("none", "neither"), others);
  assert.deepEqual(shown("b", "b"), [b, others[1]]);
  assert.deepEqual(shown("a", "c"), [a, look("green", 9, 1)]); // told apart without color, too
});

test("experiments are made of presets, and no two presets are the same", () => {
  for (const [name, runs] of Object.entries(EXPERIMENTS)) {
    assert.equal(runs.length, 2, name);
    for (const run of runs) assert.ok(run[0] in PRESETS && inWords(run).startsWith(run[0]), name);
  }
  const written = Object.values(PRESETS).map((one) => JSON.stringify(one));
  assert.equal(new Set(written).size, written.length);
});

test("a preset says in a line what its loss is, and sets nothing that does not count", () => {
  for (const [name, preset] of Object.entries(PRESETS)) {
    const { method, penalty, weight, whitening } = preset;
    const wanted = [METHODS[method], ...(weight ? [` ${weight} times ${PENALTIES[penalty]}`] : [])];
    for (const part of wanted) assert.ok(lossInWords(preset).includes(part), name);
    assert.equal(lossInWords(preset).includes(`moved ${whitening} of the way`), whitening !== "0");
    assert.equal(weight !== undefined, penalty !== "none", name);
    for (const key of Object.keys(USUAL))
      assert.ok(counts(key, preset) || preset[key] === USUAL[key], name);
  }
});

test("tau counts where there is a target, penalty and whitening only beside Eq. 8", () => {
  const keys = ["decay", "tau", "whitening", "penalty", "weight"];
  const shown = (method, penalty = "none", stop = true) =>
    keys.filter((key) => counts(key, { method, penalty, stop }));
  assert.deepEqual(shown("JEPA"), ["decay", "tau", "whitening", "penalty"]);
  assert.deepEqual(shown("JEPA", "none", false), ["decay", "tau", "penalty"]);
  assert.deepEqual(shown("JEPA", "scale"), keys);
  assert.deepEqual(shown("BYOL"), ["decay", "tau"]);
  assert.deepEqual(shown("VICReg"), ["decay"]);
});

test("random numbers come again with their seed, and with no other", () => {
  const draw = (...from) => Array.from({ length: 4 }, uniforms(...from));
  assert.deepEqual(draw(1, 2), draw(1, 2));
  const all = [draw(1, 2), draw(2, 1), draw(1, 1), draw(2, 2)].flat();
  assert.equal(new Set(all).size, 16);
  const drawn = [...normals(20001, uniforms(0, 0))];
  const moment = (k) => drawn.reduce((sum, z) => sum + z ** k, 0) / drawn.length;
  for (const [k, wanted, error] of [
    [1, 0, 0.03],
    [2, 1, 0.04],
    [3, 0, 0.11],
    [4, 3, 0.28],
  ])
    assert.ok(Math.abs(moment(k) - wanted) < error, `moment ${k}: ${moment(k)}`);
});

test("a score is what its definition says, and the law's own is the least", () => {
  const grid = { edge: 2, stationary: Array(4).fill(0.25) };
  const [cells, law] = [middles(grid), [0.1, 0.2, 0.3, 0.4]];
  assert.deepEqual(cells, [-1.5, -0.5, 0.5, 1.5]);
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;
  const from = (q) => law.reduce((sum, part, j) => sum + part * Math.abs(q - cells[j]), 0);
  const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);
  close(expectedScore([0.7], law, cells), from(0.7));
  const values = [0.2, -1.1, 1.3];
  const apart = mean([1.3, 1.1, 2.4]); // between each two of them
  close(expectedScore(values, law, cells), mean(values.map(from)) - apart / 2);
  const many = law.flatMap((part, j) => Array(1000 * part).fill(cells[j]));
  assert.ok(Math.abs(expectedScore(many, law, cells) - leastScore(law, cells)) < 1e-3);
  assert.ok(leastScore(law, cells) < Math.min(...cells.map(from)));
  assert.deepEqual(shares([-9, -1.2, 0.1, 9], grid), [0.5, 0, 0.25, 0.25]);
});
