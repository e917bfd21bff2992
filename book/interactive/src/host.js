// The page's side of a worker that was bundled as text.

/** Start a worker; `heard` gets what it posts, `failed` a sentence if it cannot run. */
export function startWorker(code, heard, failed) {
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  let worker;
  try {
    worker = new Worker(address);
  } catch {
    failed("This browser does not let the page compute in the background.");
    return null;
  }
  worker.onmessage = ({ data }) => (data.kind === "failed" ? failed(data.message) : heard(data));
  worker.onerror = (event) => failed(event.message || "The computation could not start.");
  return worker;
}
