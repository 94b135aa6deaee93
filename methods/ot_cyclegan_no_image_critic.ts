/** OT-cycleGAN with an unknown operator, without what does not pay: the critic of images, and the cycle of measurements. */

import type { Settings } from "../core/settings.ts";
import { critic, criticStep } from "./critic.ts";
import type { Method } from "./method.ts";
import { highPass } from "./networks/high_pass.ts";
import { defineMethod } from "./training.ts";
import {
  cycleSettings,
  fitGrowth,
  generatorAndNoise,
  imageCycle,
  noiseCriticSettings,
  noiseMonitor,
  noiseSettings,
  noisyLosses,
  penalisedCritics,
  unknownOperator,
} from "./unknown_operator.ts";

const { gamma: _, measurementCycle: __, adversary: ___, ...ofG } = cycleSettings;
const settings = { ...ofG, ...noiseSettings, ...noiseCriticSettings } satisfies Settings;

/**
 * F learns from ψ what noise measurements have, and G to take it away: E |x − G(F(x))| is all that it minimises.
 *
 * An ablation of `ot-cyclegan-unknown-operator`: nothing compares G(y) with images or F(G(y)) with y, so real
 * measurements reach G only through the noise that F has learned. The duality of 000 needs both cycles, so there
 * is no certificate.
 */
export const otCycleGanNoImageCritic: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-no-image-critic",
  about:
    "a learned noise generator and a denoiser of what it makes: OT-cycleGAN without φ and E |y − F(G(y))|",
  source: "an ablation of Sim et al. 2020 (arXiv:1909.12116), Table 1(d): φ = 0, one cycle",
  effort: 2.5,
  settings,
  ...unknownOperator,

  networks: (set, problem, rng) => ({
    ...generatorAndNoise(set, problem, rng),
    ψ: highPass(critic(set, problem.seenShape, rng.stream("ψ")), problem.seenShape),
  }),

  fit: (networks, images, measurements) => fitGrowth(networks, images, measurements),

  losses: {
    generator: (networks, scene) => imageCycle(networks, scene),
    noise: (networks, scene) => noisyLosses.noise(networks, scene),
    measurements: (networks, scene, set) => penalisedCritics.measurements(networks, scene, set),
  },

  steps: (set) => [
    { minimise: "measurements", over: ["ψ"], ...criticStep(set) },
    { minimise: "noise", over: ["F"], rate: set.noiseRate },
    { minimise: "generator", over: ["G"], rate: set.rate },
  ],

  monitor: (networks, material) => noiseMonitor(networks, material),
  learned: ({ F }) => F.learned(),
});
