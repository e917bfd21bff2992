// How the demos write numbers, words and addresses: nothing here needs a page.

const RAISED = Object.fromEntries([..."-0123456789"].map((sign, i) => [sign, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[i]]));

/** A power of ten. */
export const power = (exponent) =>
  `10${[...String(exponent)].map((sign) => RAISED[sign]).join("")}`;

/** A number of three digits, as people write it; a power of ten where it is far from one. */
export function brief(value) {
  if (!Number.isFinite(value)) return "no number";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) {
    const [digits, exponent] = value.toExponential(2).split("e");
    return `${digits} × ${power(Number(exponent))}`;
  }
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

/** A count with its noun: 1 step, 2,000 steps. */
export const counted = (count, noun) =>
  `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;

/** A digit with its article: a 3, an 8. */
export const aDigit = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

/** What an address asks of a demo: `name.value~name.value` to a list of parts. */
export function requests(text) {
  return text
    .split("~")
    .filter(Boolean)
    .map((part) => {
      const [name, ...rest] = part.split(".");
      return { part, name, value: rest.join(".") };
    });
}

/** A number between two others, or nothing. */
export function numberWithin(text, low, high) {
  const number = Number(text);
  return text.trim() !== "" && number >= low && number <= high ? number : undefined;
}
