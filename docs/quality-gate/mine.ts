/** A method in a repository of its own, whose quality `.github/workflows/quality.yml` guards. */

import {
  defineMethod,
  type Extension,
  generator,
  generatorSettings,
  l2,
  trainingSettings,
} from "ot-cyclegan-bench";

const squaredError = defineMethod({
  name: "squared-error",
  about: "a U-Net that minimises the squared error on matched pairs",
  source: "this repository",
  effort: 1,
  knows: { pairs: true, operator: "nothing" }, // what it is shown; the harness keeps it to that
  settings: { ...generatorSettings, ...trainingSettings, rate: { default: 2e-3, about: "learning rate" } },
  networks: (set, { seenShape, imageShape }, rng) => ({
    G: generator(set, seenShape, imageShape, rng.stream("G")),
  }),
  losses: { generator: ({ G }, { x, y, see }) => l2(x, G.apply(see(y))) },
  steps: (set) => [{ minimise: "generator", over: ["G"], rate: set.rate }],
  reconstructs: "G",
});

export default { rows: { mri: [{ name: "squared-error", method: squaredError }] } } satisfies Extension;
