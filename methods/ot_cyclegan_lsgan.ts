/** OT-cycleGAN's cycle through the physics with the least-squares GAN of the standard cycleGAN. */

import type { Settings } from "../core/settings.ts";
import { cycleTerms } from "./certificate.ts";
import { criticSettings } from "./critic.ts";
import {
  cycleLoss,
  cycleSettings,
  generatorAndCritic,
  generatorThenCritic,
  knownOperator,
} from "./known_operator.ts";
import { leastSquares, leastSquaresCritic, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";

const settings = { ...cycleSettings, ...criticSettings } satisfies Settings;

/**
 * G minimises γ·ℓ_cycle + E (φ(G(y)) − 1)², φ minimises ½ E (φ(x) − 1)² + ½ E φ(G(y))²: the loss that Lim et
 * al. 2020 (arXiv:1908.09414, 001 here) train with, on 000's Table 1(c).
 *
 * 000's duality does not cover it, so there is no certificate; the two cycle terms are followed instead.
 */
export const otCycleGanLsgan: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-lsgan",
  about: "OT-cycleGAN's known operator with a least-squares GAN",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(c); GAN loss of Mao et al. 2017 (arXiv:1611.04076)",
  effort: 2.1,
  settings,
  ...knownOperator,

  networks: (set, problem, rng) => generatorAndCritic(set, problem, rng),

  losses: {
    generator: (networks, scene, set) =>
      weighted(
        [set.gamma, cycleLoss(networks, scene)],
        [1, leastSquares(networks.φ, scene.fake.G, 1)],
      ),
    critic: ({ φ }, { x, fake }) => leastSquaresCritic(φ, x, fake.G),
  },

  steps: (set) => generatorThenCritic(set),
  monitor: ({ G }, batch) => cycleTerms(G, batch),
});
