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
    for (const formula of document.querySelectorAll("article mjx-container")) {
      const line = formula.closest("p, li, td, dd, blockquote, figcaption, div.math");
      const inline = !formula.hasAttribute("display");
      const drawn = formula.querySelector("svg, mjx-math");
      const wide = drawn && line && drawn.getBoundingClientRect().width > line.clientWidth;
      formula.classList.toggle("wide", Boolean(inline && wide && !formula.closest("table")));
      if (formula.scrollWidth > formula.clientWidth && (wide || !inline)) formula.tabIndex = 0;
      else formula.removeAttribute("tabindex");
    }
  };
  document.addEventListener("DOMContentLoaded", nameArrows);
  window.addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    nameSymbols();
    // its size changes with the window's, and with that of its letters
    const article = document.querySelector("article");
    if (article) new ResizeObserver(() => requestAnimationFrame(reachFormulas)).observe(article);
  });
})();
