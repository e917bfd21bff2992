// On paper the book is light and unfolded, however it stands on the screen.
(() => {
  const root = document.documentElement;
  let theme, folded = [];
  window.addEventListener("beforeprint", () => {
    [theme, root.dataset.theme] = [root.dataset.theme, "light"];
    folded = [...document.querySelectorAll("article details:not([open])")];
    for (const one of folded) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    root.dataset.theme = theme;
    for (const one of folded) one.open = false;
  });
})();
