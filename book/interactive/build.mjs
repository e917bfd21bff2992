// Bundles each demo into one classic script: it works from a server and from the file system, and
// carries its worker as text, because browsers refuse a worker's file to a page opened from a file.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const out = process.argv[2] ?? fileURLToPath(new URL("dist", import.meta.url));
const common = {
  bundle: true, minify: true, format: "iife", target: "es2022", logLevel: "warning",
  legalComments: "none", charset: "utf8",
};

/** The backends that need a graphics card stay out: WebAssembly runs everywhere. */
const cpuOnly = {
  name: "cpu-only",
  setup(step) {
    step.onResolve({ filter: /^\.\/web(gpu|gl)-/ }, () => ({ path: "none", namespace: "none" }));
    step.onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "export {};" }));
  },
};

/** `import code from "worker:name"`: the bundled worker as a string. */
const workers = {
  name: "workers",
  setup(step) {
    step.onResolve({ filter: /^worker:/ }, ({ path, resolveDir }) =>
      ({ path: `${resolveDir}/${path.slice(7)}.js`, namespace: "worker" }));
    step.onLoad({ filter: /.*/, namespace: "worker" }, async ({ path }) => {
      const { outputFiles: [{ text }] } = await build(
        { ...common, entryPoints: [path], write: false, plugins: [cpuOnly] });
      return { contents: text, loader: "text" };
    });
  },
};

await build({
  ...common,
  entryPoints: [
    "loader.js", "explosion.js", "lorenz.js", "hallucination.js", "position.js", "well.js",
    "completions.js", "demos.css",
  ].map((name) => fileURLToPath(new URL(`src/${name}`, import.meta.url))),
  outdir: out,
  plugins: [workers],
});
