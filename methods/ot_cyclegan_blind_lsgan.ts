/** OT-cycleGAN with a learned kernel and the GAN loss that Lim et al. 2020 train with. */

import type { Settings } from "../core/settings.ts";
import {
  averaged,
  blind,
  blindCycleSettings,
  kernelLoss,
  kernelOf,
  kernelSettings,
  kernelThenGenerator,
} from "./blind.ts";
import { patchCritics } from "./critic.ts";
import { generator } from "./generator.ts";
import { inField, leastSquaresCriticOfPatches, leastSquaresOfPatches, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { noisyCycle, noisyCycleTerms } from "./noisy_measurements.ts";
import { defineMethod } from "./training.ts";

const settings = { ...blindCycleSettings, ...kernelSettings } satisfies Settings;

/**
 * `ot-cyclegan-blind` with least-squares GANs of patches of three sizes in place of both Wasserstein critics, which see images
 * and measurements as they are: G minimises γ·ℓ_cycle + a·Σ_s E (φ_s(G(y)) − 1)², h minimises Σ_s E (ψ_s(h * x + n) − 1)² + λ‖h‖₁.
 *
 * Lim, Park, Lee, Chang, Sim & Ye 2020 (arXiv:1908.09414, 001 here): the blind case. As there, there is no certificate; the two
 * cycle terms are followed instead. Unlike there, h learns from ψ alone and G from h's average.
 */
export const otCycleGanBlindLsgan: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-blind-lsgan",
  about: "OT-cycleGAN, blur of a learned kernel, least-squares GANs of patches of three sizes",
  source: "Lim et al. 2020 (arXiv:1908.09414), blind",
  effort: 5,
  settings,
  ...blind,

  networks: (set, problem, rng) => ({
    G: generator(set, problem.seenShape, problem.imageShape, rng.stream("G")),
    h: kernelOf(set, problem, "ot-cyclegan-blind-lsgan"),
    φ: patchCritics(set, problem.imageShape, rng.stream("φ")),
    ψ: patchCritics(set, problem.measurementShape, rng.stream("ψ")),
  }),

  losses: {
    measurements: ({ ψ }, { y, fake }) => leastSquaresCriticOfPatches(ψ, y, fake.h),
    kernel: ({ h, ψ }, { fake }, set) => kernelLoss(h, leastSquaresOfPatches(ψ, fake.h, 1), set),
    generator: (networks, scene, set) =>
      weighted(
        [1, noisyCycle(networks.G, averaged(networks.h, scene), scene, set)],
        [set.adversary, leastSquaresOfPatches(networks.φ, inField(scene, scene.fake.G), 1)],
      ),
    images: ({ φ }, scene) =>
      leastSquaresCriticOfPatches(φ, inField(scene, scene.x), inField(scene, scene.fake.G)),
  },

  steps: (set) => kernelThenGenerator(set),
  monitor: ({ G, h }, batch) => noisyCycleTerms(G, averaged(h, batch), batch),
  learned: ({ h }) => h.learned(),
});
