// Loads a demo when its place on the page comes near, or when the address asks for it.
const here = document.currentScript.src;

function load(section) {
  const name = section.dataset.demo;
  for (const needed of (section.dataset.needs ?? "").split(" ").filter(Boolean)) add(section, needed);
  add(section, name);
}

function add(section, name) {
  const script = document.createElement("script");
  script.src = new URL(`${name}.js`, here).href;
  script.async = false;
  script.onerror = () => {
    if (section.querySelector(".demo-note")) return;
    const note = document.createElement("p");
    [note.className, note.role] = ["demo-note", "alert"];
    note.textContent = "A part of this demo did not arrive. Reload the page to try again.";
    section.append(note);
  };
  document.head.append(script);
}

const asked = new URLSearchParams(location.search);
for (const section of document.querySelectorAll("[data-demo]")) {
  if (asked.has(section.dataset.demo)) {
    load(section);
    continue;
  }
  const watcher = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watcher.disconnect();
    load(section);
  }, { rootMargin: "300px" });
  watcher.observe(section);
}
