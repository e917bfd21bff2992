// What the lab can be set to, by name: configurations, methods, penalties, experiments.

/** What a falling learning rate falls to, as a share of the first: chapter 10's. */
export const FALLS_TO = 0.3;

export const USUAL = {
  method: "JEPA",
  sphere: false,
  alpha: 0.5,
  tau: "0.995",
  rate: "0.001",
  stop: true,
  falling: false,
  whitening: "0",
  penalty: "none",
};
const EXPRESSIVE = { ...USUAL, norm: true, decay: "0.0001" };
const UNCONSTRAINED = { ...USUAL, norm: false, decay: "0" };
const SCALE = { ...UNCONSTRAINED, penalty: "scale", weight: "0.01" };
const WHITENED = { ...UNCONSTRAINED, whitening: "0.2" };

/** The models of the book that the controls can set, by the names of their looks. */
export const PRESETS = {
  unconstrained: UNCONSTRAINED,
  expressive: EXPRESSIVE,
  restrictive: { ...EXPRESSIVE, sphere: true },
  classic: { ...EXPRESSIVE, alpha: 1 },
  "classic, unconstrained": { ...UNCONSTRAINED, alpha: 1 },
  "whitened 0.2": WHITENED,
  "whitened 0.2, falling rate": { ...WHITENED, falling: true },
  "scale 0.01": SCALE,
  "loose covariance 0.01": { ...SCALE, penalty: "loose covariance" },
  "LayerNorm alone": { ...EXPRESSIVE, decay: "0" },
  "decay alone": { ...EXPRESSIVE, norm: false },
  "no EMA": { ...EXPRESSIVE, tau: "0" },
  "no stop-gradient": { ...EXPRESSIVE, stop: false },
  autoencoder: { ...EXPRESSIVE, method: "autoencoder" },
  "predictive autoencoder": { ...EXPRESSIVE, method: "predictive autoencoder" },
  SimCLR: { ...EXPRESSIVE, method: "SimCLR" },
  VICReg: { ...EXPRESSIVE, method: "VICReg" },
  BYOL: { ...EXPRESSIVE, method: "BYOL" },
};

/** What the two runs of an experiment have, by the name of a preset and what differs from it. */
export const EXPERIMENTS = {
  "the explosion: unconstrained and expressive": [["unconstrained"], ["expressive"]],
  "the other two: restrictive and classic": [["restrictive"], ["classic"]],
  "chapter 10's finalist: whitened 0.2, falling rate": [
    ["whitened 0.2, falling rate"],
    ["unconstrained"],
  ],
  "a soft penalty on the scale: scale 0.01": [["scale 0.01"], ["unconstrained"]],
  "a faster target: tau 0.9": [["unconstrained", { tau: "0.9" }], ["unconstrained"]],
  "one direction alone: alpha 1": [["unconstrained", { alpha: 1 }], ["unconstrained"]],
  "collapse: no stop-gradient": [["expressive", { stop: false }], ["expressive"]],
  "relatives: autoencoder, predictive autoencoder": [["autoencoder"], ["predictive autoencoder"]],
  "relatives: VICReg and expressive": [["VICReg"], ["expressive"]],
  "exercise 1: a target that never moves": [["unconstrained", { tau: "1" }], ["unconstrained"]],
  "exercise 2: decay in place of LayerNorm": [
    ["unconstrained", { decay: "0.01" }],
    ["unconstrained", { decay: "10" }],
  ],
  "exercise 3: restrictive and expressive": [["restrictive"], ["expressive"]],
};

/** What differs from a preset, in words. */
const CHANGES = {
  tau: (value) => `tau ${value}`,
  alpha: (value) => `alpha ${value}`,
  decay: (value) => `weight decay ${value}`,
  stop: () => "no stop-gradient",
};
export const inWords = ([preset, changes = {}]) =>
  [preset, ...Object.entries(changes).map(([key, value]) => CHANGES[key](value))].join(", ");

/** What each method's loss is. */
export const METHODS = {
  JEPA:
    "mean squared error of each predictor in the other view's target embedding, weighed by alpha " +
    "(Eq. 8)",
  autoencoder: "mean squared error between x and what a decoder draws from the embedding of x",
  "predictive autoencoder":
    "mean squared error between y and what a decoder draws from the embedding of x",
  SimCLR:
    "cross-entropy of finding each view's partner among all others of the batch, by the cosine " +
    "of their projections over 0.2",
  VICReg:
    "25 times the mean squared difference between the projections of x and y, plus 12.5 times " +
    "what their deviations lack of 1, plus their squared covariances",
  BYOL:
    "squared distance on the unit sphere between what a predictor makes of each view's embedding " +
    "and the other view's target embedding",
};

/** What each penalty is, as a factor of its weight; s is an online embedding. */
export const PENALTIES = {
  none: "",
  scale: "(mean of s² − 1)²",
  "loose covariance": "the mean of (variance of s − 1)² and a tenth of the squared covariances",
  VICReg: "what the deviations of s lack of 1, and a 25th of the squared covariances",
};

/** The loss in a line. */
export function lossInWords({ method, penalty, weight, whitening }) {
  const aimed = Number(whitening)
    ? `, each target moved ${whitening} of the way to where its batch is whitened`
    : "";
  const added =
    penalty === "none"
      ? ""
      : `, plus ${weight} times ${PENALTIES[penalty]}, which the curve of the loss leaves out`;
  return `Loss: ${METHODS[method]}${aimed}${added}.`;
}

/** For which methods a control counts, where it does not for all. */
const ONLY = { tau: ["JEPA", "BYOL"] };
for (const key of ["sphere", "stop", "whitening", "penalty", "weight", "alpha"])
  ONLY[key] = ["JEPA"];

/** Whether a control counts, given the others' values: targets with a gradient are not whitened. */
export const counts = (key, { method, penalty, stop }) =>
  (ONLY[key]?.includes(method) ?? true) &&
  (key !== "weight" || penalty !== "none") &&
  (key !== "whitening" || stop);
