/** OT-cycleGAN for a microscope whose point spread function and camera are known: one generator, one critic. */

import type { Settings } from "../core/settings.ts";
import { noisyCertificate } from "./certificate.ts";
import { critic, criticSettings, criticStep, penaltySettings } from "./critic.ts";
import { generator } from "./generator.ts";
import { knownOperator } from "./known_operator.ts";
import { inField, penalisedWasserstein } from "./losses.ts";
import type { Method } from "./method.ts";
import { noisyCycleSettings, noisyTransportLoss } from "./noisy_measurements.ts";
import { defineMethod } from "./training.ts";

const settings = { ...noisyCycleSettings, ...criticSettings, ...penaltySettings } satisfies Settings;

/**
 * min over G, max over 1-Lipschitz φ of γ·ℓ_cycle + a·(E φ(x) − E φ(G(y))), with
 *
 *     ℓ_cycle = E (x − G(A x + n))² + c·E (y − A G(y))²
 *
 * Sim et al. 2020 (arXiv:1909.12116), Table 1(c): `ot-cyclegan` for measurements with noise. n is the camera's: without it
 * G learns to undo the blur of frames without noise, and those of y have much.
 *
 * Deviations of the defaults, each a setting: squared differences, c = 0.1 and a = 0.1. At full weight φ and the cycle of
 * measurements cost 0.04 of the correlation with the density of emitters, since y − A G(y) is mostly noise. γ, which the
 * paper leaves open, is 400: nearly all pixels of an image of emitters are 0, so mean squares of errors are small beside
 * what a critic says. What other values do was not measured.
 */
export const otCycleGanKnownPsf: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-known-psf",
  about: "OT-cycleGAN, point spread function and camera known, WGAN-GP critic",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(c), eq. 30 and 39",
  effort: 2.4,
  settings,
  ...knownOperator,

  networks: (set, { seenShape, imageShape }, rng) => ({
    G: generator(set, seenShape, imageShape, rng.stream("G")),
    φ: critic(set, imageShape, rng.stream("φ")),
  }),

  losses: {
    generator: (networks, scene, set) => noisyTransportLoss(networks, scene.A, scene, set),
    critic: ({ φ }, scene, set) => {
      const [x, fake] = [scene.x, scene.fake.G].map((image) => inField(scene, image));
      return penalisedWasserstein(φ, x, fake, scene.random, set.penalty);
    },
  },

  steps: (set) => [
    { minimise: "generator", over: ["G"], rate: set.rate },
    { minimise: "critic", over: ["φ"], ...criticStep(set) },
  ],

  monitor: (networks, batch) => noisyCertificate(networks, batch.A, batch),
});
