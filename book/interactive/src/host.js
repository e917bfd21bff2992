// The page's side of a worker that was bundled as text.

/**
 * Start a worker. `heard` gets what it posts, but for answers: those resolve what `ask` returned.
 * `failed` gets a sentence if it cannot run; a worker that cannot even start is null.
 */
export function startWorker(code, heard, failed) {
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const waiting = new Map();
  let worker, asked = 0;
  try {
    worker = new Worker(address);
  } catch {
    failed("This browser does not let the page compute in the background.");
    return null;
  }
  worker.onmessage = ({ data }) => {
    if (data.kind === "failed") failed(data.message);
    else if (waiting.has(data.id)) {
      waiting.get(data.id)(data);
      waiting.delete(data.id);
    } else heard(data);
  };
  worker.onerror = (event) => failed(event.message || "The computation could not start.");
  const tell = (message) => worker.postMessage(message);
  const ask = (question) => new Promise((done) => {
    asked += 1;
    waiting.set(asked, done);
    tell({ ...question, id: asked });
  });
  return { tell, ask };
}

/** Work that is asked for faster than it is done: while it is under way, only the last call counts. */
export function latest(work) {
  let busy = false, again = false;
  return async () => {
    if (busy) { again = true; return; }
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
