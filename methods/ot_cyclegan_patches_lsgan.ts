/** OT-cycleGAN's cycle through a known blur with the GAN loss that Lim et al. 2020 train with. */

import type { Settings } from "../core/settings.ts";
import { blindCycleSettings } from "./blind.ts";
import { patchCritics } from "./critic.ts";
import { generator } from "./generator.ts";
import { generatorThenCritic, knownOperator } from "./known_operator.ts";
import { inField, leastSquaresCriticOfPatches, leastSquaresOfPatches, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { noisyCycle, noisyCycleTerms } from "./noisy_measurements.ts";
import { defineMethod } from "./training.ts";

const settings = blindCycleSettings satisfies Settings;

/**
 * G minimises γ·ℓ_cycle + a·Σ_s E (φ_s(G(y)) − 1)², each φ_s minimises ½ E (φ_s(x) − 1)² + ½ E φ_s(G(y))², s going over patches
 * of the whole, of half and of a quarter of the image.
 *
 * Lim, Park, Lee, Chang, Sim & Ye 2020 (arXiv:1908.09414, 001 here): the non-blind case. They draw the smaller patches at random;
 * here every one is judged. 000's duality does not cover it, so there is no certificate; the two cycle terms are
 * followed instead.
 */
export const otCycleGanPatchesLsgan: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-patches-lsgan",
  about: "OT-cycleGAN's known operator with a least-squares GAN of patches of three sizes",
  source: "Lim et al. 2020 (arXiv:1908.09414), non-blind",
  effort: 3,
  settings,
  ...knownOperator,

  networks: (set, { seenShape, imageShape }, rng) => ({
    G: generator(set, seenShape, imageShape, rng.stream("G")),
    φ: patchCritics(set, imageShape, rng.stream("φ")),
  }),

  losses: {
    generator: (networks, scene, set) =>
      weighted(
        [1, noisyCycle(networks.G, scene.A, scene, set)],
        [set.adversary, leastSquaresOfPatches(networks.φ, inField(scene, scene.fake.G), 1)],
      ),
    critic: ({ φ }, scene) =>
      leastSquaresCriticOfPatches(φ, inField(scene, scene.x), inField(scene, scene.fake.G)),
  },

  steps: (set) => generatorThenCritic(set),
  monitor: ({ G }, batch) => noisyCycleTerms(G, batch.A, batch),
});
