/** RED-CNN, the usual supervised rival in low-dose CT. */

import type { Settings } from "../core/settings.ts";
import { l2 } from "../engine/ops.ts";
import type { Method } from "./method.ts";
import { initialisations, initialiser, requireImages } from "./networks/network.ts";
import { redCnn as network } from "./networks/red_cnn.ts";
import { defineMethod, trainingSettings } from "./training.ts";

const settings = {
  ...trainingSettings,
  rate: { default: 1e-3, about: "learning rate", min: 0, max: 1 },
  filters: { default: 96, about: "filters of each convolution of RED-CNN", min: 1, max: 1024, whole: true },
  depth: {
    default: 5,
    about: "convolutions of RED-CNN, and as many transposed ones",
    min: 1,
    max: 16,
    whole: true,
  },
  initialisation: {
    default: "fan-in",
    choices: initialisations,
    about: "deviation of the initial weights: 1/√(3·fan-in), He's rule, or 0.02",
  },
} satisfies Settings;

/**
 * min over Θ of E (x − G_Θ(y))², x and y matched: Chen, Zhang, Kalra, Lin, Chen, Liao, Zhou & Wang 2017
 * (arXiv:1702.00288), with their network.
 *
 * Deviations of the defaults, each a setting: `rate` 1e-3 for 1e-4 and initial weights by fan-in for N(0, 0.01²), for
 * budgets of a thousand updates of single images instead of patches of 55 x 55 in batches of 128; Adam (0.5, 0.9) and
 * the schedule of the other methods. 96 filters are theirs, and cost a hundred times the suite's U-Net: benchmarks
 * narrow it for their quick profiles.
 */
export const redCnn: Method<typeof settings> = defineMethod({
  name: "red-cnn",
  about: "RED-CNN, an encoder-decoder of 5x5 convolutions, trained on matched pairs",
  source: "Chen et al. 2017 (arXiv:1702.00288)",
  effort: 6,
  settings,
  knows: { pairs: true, operator: "nothing" },

  networks({ filters, depth, initialisation }, { seenShape, range }, rng) {
    requireImages("red-cnn", seenShape);
    return {
      G: network({
        channels: seenShape[2],
        filters,
        depth,
        initialise: initialiser(initialisation, 0),
        ...(range === undefined ? {} : { range }),
      }, rng.stream("G")),
    };
  },

  losses: { generator: ({ G }, { x, y, see }) => l2(x, G.apply(see(y))) },
  steps: (set) => [{ minimise: "generator", over: ["G"], rate: set.rate }],
  reconstructs: "G",
});
