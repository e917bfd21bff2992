// The page's side of a worker that was bundled as text.
import { fail, recover } from "./notes.js";

const PATIENCE = 30; // seconds without a word before the reader hears of it

/**
 * Start a worker for a demo's section. `heard` gets what it posts, but for answers: those resolve
 * what `ask` returned. The section says where it falls silent or cannot run; `failed` hears of the latter.
 */
export function startWorker(section, code, heard, failed = () => {}) {
  const waiting = new Map();
  let worker = null,
    asked = 0,
    silence = 0,
    silent = false;
  const stop = (why) => {
    clearTimeout(silence);
    fail(section, why);
    failed();
  };
  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      silent = true;
      fail(section, `what works in the background has not answered for ${PATIENCE} seconds.`);
    }, 1000 * PATIENCE);
  };
  try {
    worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    worker.onerror = (event) =>
      stop(
        event.message
          ? `the browser reports "${event.message}".`
          : "the browser does not let it work in the background.",
      );
    worker.onmessage = ({ data }) => {
      clearTimeout(silence);
      if (data.kind === "failed") {
        stop(`the browser reports "${data.message}".`);
        return;
      }
      if (silent) recover(section);
      silent = false;
      if (data.kind === "progress") listen(); // more is to come
      if (waiting.has(data.id)) {
        waiting.get(data.id)(data);
        waiting.delete(data.id);
      } else heard(data);
    };
  } catch {
    stop("the browser does not let it work in the background.");
  }
  const tell = (message) => {
    if (!worker) return;
    worker.postMessage(message);
    listen();
  };
  const ask = (question) =>
    new Promise((done) => {
      asked += 1;
      waiting.set(asked, done);
      tell({ ...question, id: asked });
    });
  return { tell, ask };
}

/** Work that is asked for faster than it is done: while it is under way, only the last call counts. */
export function latest(work) {
  let busy = false,
    again = false;
  return async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      do {
        again = false;
        await work();
      } while (again);
    } finally {
      busy = false;
    }
  };
}
