/** OT-cycleGAN with a known operator: one generator, one critic, and the physics on the way back. */

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

const settings = { ...cycleSettings, ...criticSettings, ...penaltySettings } satisfies Settings;

/**
 * min over Θ, max over 1-Lipschitz φ of γ·ℓ_cycle + ℓ_disc, with
 *
 *     ℓ_cycle = E |x − G_Θ(Ax)| + E |y − A G_Θ(y)|
 *     ℓ_disc  = E φ(x) − E φ(G_Θ(y))
 *
 * Sim, Oh, Kim, Jung & Ye 2020 (arXiv:1909.12116): eq. 30 in the case of Table 1(c), where A is known, nothing
 * has to be learned on the way to the measurements, and their critic ψ falls away. φ is held near 1-Lipschitz
 * by a gradient penalty (eq. 39).
 *
 * Deviations of the defaults, chosen for budgets of a thousand updates, each a setting: the generator's output
 * is a correction to its input (`residual`), without which magnitudes suffer most; `rate` 2e-3 and `criticRate`
 * 2e-4 for the paper's 1e-4, which is far too slow here; one critic update for five (`criticUpdates`), on the
 * generator's own batch (`freshCriticBatches`): five cost half as much again and change nothing. γ stands for
 * the paper's unnamed weight, on means instead of norms; its default leaves the critic about a tenth of the cycle's
 * pull on the image. With 32 training slices of real heads, a γ of 100 costs 1.0 dB and draws structure that is not
 * there, 300 costs 0.2 dB; on the phantoms all three do alike (docs/results/mri.md).
 */
export const otCycleGan: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan",
  about: "OT-cycleGAN, known operator, WGAN-GP critic",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(c), eq. 30 and 39",
  effort: 2.4,
  settings,
  ...knownOperator,

  networks: (set, problem, rng) => generatorAndCritic(set, problem, rng),

  losses: {
    generator: transportLoss,
    critic: ({ φ }, { x, fake, random }, set) =>
      weighted(
        [1, wasserstein(φ, x, fake.G)],
        [set.penalty, gradientPenalty(φ, x, fake.G, random.uniform([x.shape[0], 1, 1, 1]))],
      ),
  },

  steps: (set) => generatorThenCritic(set),
  monitor: ({ G, φ }, batch) => certificate(G, φ, batch),
});
