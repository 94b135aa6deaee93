/** OT-cycleGAN as its authors' public MRI code trains it, where that differs from the paper. */

import type { Settings } from "../core/settings.ts";
import { certificate } from "./certificate.ts";
import { criticSettings, penaltySettings } from "./critic.ts";
import {
  cycleSettings,
  generatorAndCritic,
  generatorThenCritic,
  knownOperator,
  transportLoss,
} from "./known_operator.ts";
import { gradientPenalty, wasserstein, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";

const settings = {
  ...cycleSettings,
  ...criticSettings,
  ...penaltySettings,
  rate: { ...cycleSettings.rate, default: 1e-4 },
  criticRate: { ...criticSettings.criticRate, default: 1e-4 },
  criticUpdates: { ...criticSettings.criticUpdates, default: 5 },
  gamma: { ...cycleSettings.gamma, default: 0.5 },
  penalty: { ...penaltySettings.penalty, default: 5 },
  residual: { ...cycleSettings.residual, default: false },
  poolKind: { ...cycleSettings.poolKind, default: "max" },
  decayFrom: { ...cycleSettings.decayFrom, default: 1 },
  pool: {
    default: 50,
    about: "images in the pool that the critic's fakes come out of",
    min: 0,
    max: 1e4,
    whole: true,
  },
} satisfies Settings;

/**
 * `ot-cyclegan` with the settings of github.com/okt0711/cycleGAN_AccMRI: cycle weight 0.5, penalty weight 5,
 * Adam (0.5, 0.9) at a constant 1e-4, five critic updates that see the same batch, and, which the paper does
 * not say, fakes out of a pool of 50 and a penalty on the gradient of the *sum* of the critic's patch map while
 * its losses take the map's mean, which asks for a Lipschitz constant of one over the number of patches.
 *
 * Its masks and data are the benchmark's to set. Kept as here: the size of the networks, and their upsampling
 * and critic's depth, so that methods differ in training only. Made for 100 epochs of 3000 slices, it shows
 * little in a quick run.
 */
export const otCycleGanAsReleased: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-as-released",
  about: "OT-cycleGAN with the settings of its authors' public code",
  source: "github.com/okt0711/cycleGAN_AccMRI, the code of Sim et al. 2020 (arXiv:1909.12116), §4.1",
  effort: 4,
  settings,
  ...knownOperator,

  networks: (set, problem, rng) => generatorAndCritic(set, problem, rng),

  losses: {
    generator: transportLoss,
    critic: ({ φ }, { x, fake, random }, set) =>
      weighted(
        [1, wasserstein(φ, x, fake.G)],
        [set.penalty, gradientPenalty(φ, x, fake.G, random.uniform([x.shape[0], 1, 1, 1]), "sum")],
      ),
  },

  steps: (set) => generatorThenCritic(set, { pool: set.pool }),
  monitor: ({ G, φ }, batch) => certificate(G, φ, batch),
});
