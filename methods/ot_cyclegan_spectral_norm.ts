/** OT-cycleGAN with spectral normalisation instead of a gradient penalty. */

import type { Settings } from "../core/settings.ts";
import { certificate } from "./certificate.ts";
import { criticSettings } from "./critic.ts";
import {
  cycleSettings,
  generatorAndCritic,
  generatorThenCritic,
  knownOperator,
  transportLoss,
} from "./known_operator.ts";
import { wasserstein } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";

const settings = {
  ...cycleSettings,
  ...criticSettings,
  criticNorm: { ...criticSettings.criticNorm, default: false },
} satisfies Settings;

/**
 * `ot-cyclegan` with every filter of φ divided by its spectral norm instead of the gradient penalty: named in
 * 000 (§3.4) after Miyato et al. 2018 (arXiv:1802.05957).
 *
 * The critic has no instance norm unless it is asked for (`criticNorm`), since dividing by an image's own
 * deviation would undo the bound. The norm is the matrix's and not the convolution's, so the constant may
 * exceed 1 (see `spectral_norm.ts`); `critic-gradient` shows what it is.
 */
export const otCycleGanSpectralNorm: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-spectral-norm",
  about: "OT-cycleGAN, known operator, critic with spectral normalisation",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(c) and §3.4; Miyato et al. 2018 (arXiv:1802.05957)",
  effort: 2.3,
  settings,
  ...knownOperator,

  networks: (set, problem, rng) => generatorAndCritic(set, problem, rng, { spectral: true }),

  losses: {
    generator: transportLoss,
    critic: ({ φ }, { x, fake }) => wasserstein(φ, x, fake.G),
  },

  steps: (set) => generatorThenCritic(set),
  monitor: ({ G, φ }, batch) => certificate(G, φ, batch),
});
