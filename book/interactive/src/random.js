// Numbers that look random and come again with their seed.

/** Uniform numbers of a seed and a purpose: mulberry32. */
export function uniforms(seed, purpose) {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** So many normal numbers, two at a time by Box and Muller. */
export function normals(count, uniform) {
  const found = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const length = Math.sqrt(-2 * Math.log(1 - uniform())),
      angle = 2 * Math.PI * uniform();
    found[i] = length * Math.cos(angle);
    if (i + 1 < count) found[i + 1] = length * Math.sin(angle);
  }
  return found;
}
