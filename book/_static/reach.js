// What theme and MathJax leave undone for readers without a mouse or without a screen.
(() => {
  // The arrows that unfold a part of the contents have no name.
  const nameArrows = () => {
    for (const arrow of document.querySelectorAll("nav .has-children > details > summary")) {
      const page = arrow.closest(".has-children").querySelector("a");
      arrow.setAttribute("aria-label", `Pages below ${page.textContent.trim()}`);
    }
  };
  // A link that is a symbol needs a name: the hidden text that MathJax puts beside its drawing.
  const nameSymbols = () => {
    for (const symbol of document.querySelectorAll("a mjx-container")) {
      const link = symbol.closest("a");
      link.setAttribute("aria-label", link.textContent.trim());
    }
  };
  // A formula wider than its page scrolls in its own box: let the keyboard scroll it, too.
  const reachFormulas = () => {
    for (const formula of document.querySelectorAll('mjx-container[display="true"]')) {
      if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
      else formula.removeAttribute("tabindex");
    }
  };
  document.addEventListener("DOMContentLoaded", nameArrows);
  window.addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    nameSymbols();
    reachFormulas();
  });
  window.addEventListener("resize", reachFormulas);
})();
