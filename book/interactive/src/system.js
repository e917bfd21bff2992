// The Lorenz system (Eq. 12) in double precision, by the classic fourth-order method.
export const DT = 0.01,
  STATES = 20;
const SIGMA = 10,
  RHO = 28,
  BETA = 8 / 3;

const velocity = ([x, y, z]) => [SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z];
const moved = (state, h, v) => state.map((value, i) => value + h * v[i]);

/** `length` states, the first of them `dt` after `state`, with so many steps between two. */
export function orbit(state, length, dt = DT, substeps = 10) {
  const h = dt / substeps,
    found = [];
  for (let i = 0; i < length; i += 1) {
    for (let k = 0; k < substeps; k += 1) {
      const a = velocity(state),
        b = velocity(moved(state, h / 2, a));
      const c = velocity(moved(state, h / 2, b)),
        d = velocity(moved(state, h, c));
      state = state.map((value, j) => value + (h / 6) * (a[j] + 2 * b[j] + 2 * c[j] + d[j]));
    }
    found.push(state);
  }
  return found;
}

/** The state after `time`, by steps of a hundredth. */
export const later = (state, time) =>
  time > 0 ? orbit(state, 1, time, Math.max(Math.round(100 * time), 1))[0] : state;

export const EXPONENT = 0.906; // how fast neighbors part: e-fold in one Lyapunov time, 1 / EXPONENT
export const beside = ([x, y, z], gap) => [x + gap, y, z];
export const distance = (a, b) => Math.hypot(...a.map((value, i) => value - b[i]));

/** A state, and others that begin so far from it in x, along `time`: orbits of steps of DT. */
export function race(state, gaps, time) {
  const count = Math.round(time / DT);
  return [0, ...gaps].map((gap) => {
    const first = beside(state, gap);
    return [first, ...orbit(first, count, DT, 2)]; // neighbors need no ten steps to part
  });
}
