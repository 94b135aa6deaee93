/** OT-cycleGAN with a convolution whose kernel is learned: one generator, one kernel, two critics. */

import type { Settings } from "../core/settings.ts";
import {
  averaged,
  blind,
  blindCycleSettings,
  kernelCritic,
  kernelLoss,
  kernelOf,
  kernelSettings,
  kernelThenGenerator,
} from "./blind.ts";
import { noisyCertificate } from "./certificate.ts";
import { critic, penaltySettings } from "./critic.ts";
import { generator } from "./generator.ts";
import { expectation, inField, penalisedWasserstein, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { noisyTransportLoss } from "./noisy_measurements.ts";
import { defineMethod } from "./training.ts";

const settings = {
  ...blindCycleSettings,
  ...penaltySettings,
  ...kernelSettings,
} satisfies Settings;

/**
 * min over Θ and h, max over 1-Lipschitz φ and ψ of γ·ℓ_cycle + a·ℓ_disc + λ‖h‖₁, with
 *
 *     ℓ_cycle = E |x − G_Θ(h * x + n)| + c·E |y − h * G_Θ(y)|
 *     ℓ_disc  = E φ(x) − E φ(G_Θ(y)) + E ψ(y) − E ψ(h * x + n)
 *
 * Sim, Oh, Kim, Jung & Ye 2020 (arXiv:1909.12116): eq. 30 in the case of Table 1(b), where A is a convolution of an unknown
 * kernel; critics with gradient penalties (eq. 39).
 *
 * h = δ with G the identity is a perfect cycle, and a kernel that follows the cycle's gradient ends there. What is done about it,
 * and where it departs from the paper:
 *
 * - h learns from ψ alone, and G from the average of h over steps.
 * - h is a mixture of Gaussians of seven widths (`kernelKind`), which what a critic says by chance cannot bend far. A value a
 *   pixel by softmax, and the paper's free kernel under λ‖h‖₁, are there as `kernelKind=softmax` and `free`.
 * - n is the camera's noise, which is calibrated; the paper's ℓ_cycle is without it, and then teaches G the exact inverse.
 * - ψ sees what is left of a measurement when a blurred copy is taken away, without instance normalisation, which hides how
 *   strong a blur is. It learns fast, and from two measurements at once.
 * - Borders are valid (`physics/convolution.ts`): a blur padded with zeros darkens the border of h * x but not of y, and h
 *   bends to explain it.
 *
 * a and c are 1 as in the paper, γ stands for its unnamed weight.
 */
export const otCycleGanBlind: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-blind",
  about: "OT-cycleGAN, blur of a learned kernel, WGAN-GP critics",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(b), eq. 30 and 39",
  effort: 4.5,
  settings,
  ...blind,

  networks: (set, problem, rng) => ({
    G: generator(set, problem.seenShape, problem.imageShape, rng.stream("G")),
    h: kernelOf(set, problem, "ot-cyclegan-blind"),
    φ: critic(set, problem.imageShape, rng.stream("φ")),
    ψ: kernelCritic(set, problem.measurementShape, rng.stream("ψ")),
  }),

  losses: {
    measurements: ({ ψ }, { y, fake, random }, set) =>
      penalisedWasserstein(ψ, y, fake.h, random, set.penalty),
    kernel: ({ h, ψ }, { fake }, set) => kernelLoss(h, weighted([-1, expectation(ψ, fake.h)]), set),
    generator: (networks, scene, set) =>
      noisyTransportLoss(networks, averaged(networks.h, scene), scene, set),
    images: ({ φ }, scene, set) => {
      const [x, fake] = [scene.x, scene.fake.G].map((image) => inField(scene, image));
      return penalisedWasserstein(φ, x, fake, scene.random, set.penalty);
    },
  },

  steps: (set) => kernelThenGenerator(set),
  monitor: (networks, batch) => noisyCertificate(networks, averaged(networks.h, batch), batch),
  learned: ({ h }) => h.learned(),
});
