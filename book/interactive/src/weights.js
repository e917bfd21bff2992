// Weights and images reach the page as scripts, which browsers load from the file system, too.

/** Wait for the data of a name, which its script hands over. */
export function arrival(name) {
  globalThis.bijepaData ??= {};
  const shelf = globalThis.bijepaData;
  if (name in shelf) return Promise.resolve(shelf[name]);
  return new Promise((done) => {
    let kept;
    Object.defineProperty(shelf, name, {
      configurable: true,
      get: () => kept,
      set: (value) => {
        kept = value;
        done(value);
      },
    });
  });
}

/** Base64 to bytes. */
export const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/**
 * Arrays by name from what the build packed: a list of [name, shape, type, start] and bytes.
 * A matrix rounded to a byte a number has its steps, one a row, under `name@scale`.
 */
export function unpack({ arrays, data }) {
  const all = bytes(data).buffer,
    raw = {};
  for (const [name, shape, type, start] of arrays) {
    const size = shape.reduce((a, b) => a * b, 1);
    raw[name] = { shape, data: new (type === "int8" ? Int8Array : Float32Array)(all, start, size) };
  }
  const found = {};
  for (const [name, one] of Object.entries(raw)) {
    if (name.endsWith("@scale")) continue;
    const step = raw[`${name}@scale`];
    const width = one.data.length / one.shape[0];
    const values = step
      ? Float32Array.from(one.data, (value, i) => value * step.data[Math.floor(i / width)])
      : one.data;
    found[name] = { shape: one.shape, data: values };
  }
  return found;
}
