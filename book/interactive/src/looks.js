// One look for each model, as in the book's figures: bijepa_book.style says which.
//
// A look has dashes in widths of its line, and inks for light and dark pages and for a reader's
// own colors; `pale` is for what stands behind.

/**
 * Looks for what is drawn together, by name. What is no model gets a look that no model has, and
 * so does a model whose color is taken; where only its dashes are, it keeps its color.
 */
export function together(names, { models, others } = globalThis.bijepaData.looks) {
  const found = [];
  for (const [i, name] of names.entries()) {
    const other = others[i % others.length];
    const own = models[name] ?? other;
    const taken = (key) =>
      found.some((one) => JSON.stringify(one[key]) === JSON.stringify(own[key]));
    if (taken("ink")) found.push(other);
    else found.push(taken("dash") ? { ...own, dash: other.dash } : own);
  }
  return found;
}

export const SOLID = [],
  DASHED = [3, 2],
  DOTTED = [1, 1.5];
