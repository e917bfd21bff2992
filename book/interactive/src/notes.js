// What a demo says when something is not as it should be: in one place, above its status line.
const REMEDY =
  "Reload the page or try another browser; this chapter's figures show what the demo finds.";

function write(section, text) {
  let place = section.querySelector(".demo-note");
  if (!place) {
    place = document.createElement("p");
    [place.className, place.role] = ["demo-note", "alert"];
    section.querySelector(".demo-status").before(place);
  }
  if (place.textContent !== text) place.textContent = text;
}

/** A remark on the address, until the reader changes something. */
export function remark(section, text) {
  if (!("failed" in section.dataset)) write(section, text);
}

/** The demo cannot go on: say why and what to do, in place of its status. */
export function fail(section, why) {
  section.dataset.failed = "";
  write(section, `This demo cannot compute: ${why} ${REMEDY}`);
}

/** What was given up has come after all. */
export function recover(section) {
  if (!("failed" in section.dataset)) return;
  delete section.dataset.failed;
  write(section, "");
}
