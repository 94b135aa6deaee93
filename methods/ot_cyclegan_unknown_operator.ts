/** OT-cycleGAN with an unknown operator, of which is known that it adds noise: two critics, and one large network. */

import type { Settings } from "../core/settings.ts";
import type { Method } from "./method.ts";
import { defineMethod } from "./training.ts";
import {
  cycleSettings,
  fitGrowth,
  noiseCriticSettings,
  noiseSettings,
  noisyLosses,
  noisyMonitor,
  noisyNetworks,
  noisySteps,
  penalisedCritics,
  unknownOperator,
} from "./unknown_operator.ts";

const settings = { ...cycleSettings, ...noiseSettings, ...noiseCriticSettings } satisfies Settings;

/**
 * min over G and F, max over 1-Lipschitz φ and ψ of γ·ℓ_cycle + ℓ_disc, with
 *
 *     ℓ_cycle = E |x − G(F(x))| + c·E |y − F(G(y))|
 *     ℓ_disc  = a·(E φ(x) − E φ(G(y))) + E ψ(y) − E ψ(F(x))
 *
 * Sim, Oh, Kim, Jung & Ye 2020 (arXiv:1909.12116): eq. 30 in the case of Table 1(d), where nothing is known of A and a
 * second network F stands in its place; critics with gradient penalties (eq. 39).
 *
 * Deviations from the paper, and what they change at a budget of 1500 updates on simulated data (docs/results/ct.md has the
 * figures; `ot-cyclegan-as-published` is without them):
 *
 * - F adds noise of a learned spectrum, 16 numbers, instead of being a U-Net: see `networks/noise_generator.ts`. A
 *   deterministic F cannot make the noise of y, and a free random one (`ot-cyclegan-two-generators`) hides what G
 *   needs. It says that the noise is additive, of one spectrum, and that its level goes with what is around.
 * - How much it does, one number β, is measured before training on unmatched images and measurements: left to ψ, which
 *   judges patches, β falls towards 0. Without it the noise is alike in all bodies, which costs 0.2 to 0.3 dB on average and
 *   most in the smallest and the largest.
 * - F learns from ψ alone, which has two updates for one of G, and G from the average of F over steps.
 * - The critics have no instance normalisation, which hides the level of noise; ψ sees what is left of an image when a
 *   blurred copy is taken away.
 * - c is 0.02, not 1: F(G(y)) cannot repeat the noise of y, so at 1 G would keep it. a is 0.1.
 * - G is residual and clipped to the range of images, `rate` 2e-3 and `criticRate` 1e-3.
 *
 * φ and the cycle of measurements do not pay: `ot-cyclegan-no-image-critic` is as good and faster.
 */
export const otCycleGanUnknownOperator: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-unknown-operator",
  about: "OT-cycleGAN, unknown operator that adds noise of a learned spectrum, WGAN-GP critics",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(d), eq. 30 and 39",
  effort: 5,
  settings,
  ...unknownOperator,

  networks: (set, problem, rng) => noisyNetworks(set, problem, rng),
  fit: fitGrowth,
  losses: { ...noisyLosses, ...penalisedCritics },
  steps: (set) => noisySteps(set),

  monitor: (networks, material) => noisyMonitor(networks, material),
  learned: ({ F }) => F.learned(),
});
