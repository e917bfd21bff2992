// On paper the book is light and unfolded, however it stands on the screen.
(() => {
  const root = document.documentElement;
  let before = null;
  const begin = () => {
    if (before) return;
    const folded = [...document.querySelectorAll("article details:not([open])")];
    before = { theme: root.dataset.theme, folded };
    root.dataset.theme = "light";
    for (const one of folded) one.open = true;
  };
  const end = () => {
    if (!before) return;
    root.dataset.theme = before.theme;
    for (const one of before.folded) one.open = false;
    before = null;
  };
  window.addEventListener("beforeprint", begin);
  window.addEventListener("afterprint", end);
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? begin() : end()));
})();
