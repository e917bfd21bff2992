// Loads a demo when its place on the page comes near, or when the address asks for it.
import { fail, recover } from "./notes.js";

const here = document.currentScript.src,
  PATIENCE = 30; // seconds

function load(section) {
  const name = section.dataset.demo;
  for (const needed of (section.dataset.needs ?? "").split(" ").filter(Boolean)) {
    add(section, needed, () => globalThis.bijepaData?.[needed.replace("data-", "")] !== undefined);
  }
  add(section, name, () => "ready" in section.dataset);
}

/** Add a script; `worked` tells, once it has run, whether it did what it is there for. */
function add(section, name, worked) {
  const script = document.createElement("script");
  script.src = new URL(`${name}.js`, here).href;
  script.async = false;
  let late = false;
  const wait = setTimeout(() => {
    late = true;
    fail(section, `${name}.js has not arrived for ${PATIENCE} seconds.`);
  }, 1000 * PATIENCE);
  script.onerror = () => {
    clearTimeout(wait);
    fail(section, `${name}.js did not arrive.`);
  };
  script.onload = () => {
    clearTimeout(wait);
    if (!worked()) fail(section, `${name}.js is damaged or asks more than this browser can do.`);
    else if (late) recover(section);
  };
  document.head.append(script);
}

const asked = new URLSearchParams(location.search);
for (const section of document.querySelectorAll("[data-demo]")) {
  if (asked.has(section.dataset.demo)) {
    load(section);
    continue;
  }
  const watcher = new IntersectionObserver(
    (seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watcher.disconnect();
      load(section);
    },
    { rootMargin: "300px" },
  );
  watcher.observe(section);
}
