/** OT-cycleGAN for a microscope whose camera is known and whose round point spread function is learned by a critic. */

import type { Settings } from "../core/settings.ts";
import { averaged, blind, kernelCritic, kernelSettings, kernelThenGenerator, requireForm } from "./blind.ts";
import { critic, criticSettings, penaltySettings } from "./critic.ts";
import { generator } from "./generator.ts";
import { expectation, penalisedWasserstein, weighted } from "./losses.ts";
import type { Method } from "./method.ts";
import { gaussianKernel } from "./networks/gaussian_kernel.ts";
import { noisyCertificate } from "./certificate.ts";
import { noisyCycleSettings, noisyTransportLoss } from "./noisy_measurements.ts";
import { defineMethod } from "./training.ts";

const { kernelKind: _, sparsity: __, startSigmaAxial: ___, ...ofKernel } = kernelSettings;
const settings = {
  ...noisyCycleSettings,
  ...criticSettings,
  ...penaltySettings,
  ...ofKernel,
  // Too narrow for the embedded 5.1 pixels; from 9, too broad, the density correlation ended within 0.01 of that from 3.
  startSigma: { ...ofKernel.startSigma, default: 3 },
  // A step of Adam's changes σ by at most about half a percent: from 3 to 5.1 takes a hundred and more of a run's 1500.
  kernelRate: { ...ofKernel.kernelRate, default: 5e-3, about: "learning rate of the kernel's two weights" },
  // With one, σ oscillated or stayed at 4.5 of 5.2 pixels: what ψ says of one frame is mostly its noise.
  kernelImages: { ...ofKernel.kernelImages, default: 8 },
  // A frame of 16 pixels has room for two halvings.
  kernelCriticLayers: {
    ...criticSettings.criticLayers,
    default: 2,
    about: "how many times ψ, the critic of measurements, halves them",
  },
  // ψ has to be ahead of h: ten times the rate of φ, and two updates for one. What other values do was not measured.
  kernelCriticRate: { ...ofKernel.kernelCriticRate, default: 2e-3 },
  kernelCriticUpdates: { ...ofKernel.kernelCriticUpdates, default: 2 },
} satisfies Settings;

/**
 * What ψ sees of a measurement: what a Gaussian of about the width of its spots, in camera pixels, leaves of it, cut off at
 * 3σ; and four times that, which is about as large as an image. What other values do was not measured.
 */
const detail = { deviation: 1, reach: 3, gain: 4 };

/**
 * min over G and h, max over 1-Lipschitz φ and ψ of γ·ℓ_cycle + ℓ_disc, with F x = h * x + n and
 *
 *     ℓ_cycle = E (x − G(F x))² + c·E (y − h * G(y))²
 *     ℓ_disc  = a·(E φ(x) − E φ(G(y))) + E ψ(y) − E ψ(F x)
 *
 * Sim et al. 2020 (arXiv:1909.12116), eq. 30 in the case of Table 1(b): a convolution whose kernel is learned. Critics with
 * gradient penalties (eq. 39).
 *
 * Deviations from the paper:
 *
 * - h is a Gaussian of two weights, its width and its gain, of which the gain moves ten times more slowly
 *   (`networks/gaussian_kernel.ts`): at one pace σ went to 6.1 of 5.1 pixels, so to 5.5, where it stays. Of a value a pixel the
 *   critic's verdict on each is mostly chance.
 * - h learns from ψ alone: the cycle draws it to a delta, for which G has nothing to do. ψ sees 4·(y − Gauss * y), the detail
 *   of a measurement, and has two updates for one of h, on eight measurements. G learns from the average of h over steps.
 * - n is the camera's noise, which is calibrated. Squared differences; γ, c and a as in `ot-cyclegan-known-psf`.
 */
export const otCycleGanBlindGaussian: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-blind-gaussian",
  about: "OT-cycleGAN, camera known, point spread function a Gaussian that is learned, WGAN-GP critics",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(b), eq. 30 and 39",
  effort: 4,
  settings,
  ...blind,

  networks: (set, problem, rng) => {
    const { seenShape, imageShape, measurementShape } = problem;
    const { kernelShape } = requireForm(problem, "ot-cyclegan-blind-gaussian");
    const ofMeasurements = { ...set, criticLayers: set.kernelCriticLayers };
    return {
      G: generator(set, seenShape, imageShape, rng.stream("G")),
      h: gaussianKernel({ shape: kernelShape, sigma: set.startSigma, averaging: set.averaging }),
      φ: critic(set, imageShape, rng.stream("φ")),
      ψ: kernelCritic(ofMeasurements, measurementShape, rng.stream("ψ"), detail),
    };
  },

  losses: {
    measurements: ({ ψ }, { y, fake, random }, set) =>
      penalisedWasserstein(ψ, y, fake.h, random, set.penalty),
    kernel: ({ ψ }, { fake }) => weighted([-1, expectation(ψ, fake.h)]),
    generator: (networks, scene, set) =>
      noisyTransportLoss(networks, averaged(networks.h, scene), scene, set),
    images: ({ φ }, { x, fake, random }, set) => penalisedWasserstein(φ, x, fake.G, random, set.penalty),
  },

  // Without momentum: what ψ says of h turns round where h has gone too far.
  steps: (set) => kernelThenGenerator(set, { beta1: 0 }),

  monitor: (networks, batch) => ({
    ...noisyCertificate(networks, averaged(networks.h, batch), batch),
    "kernel-sigma": networks.h.sigma(),
    "kernel-gain": networks.h.gain(),
  }),
  learned: ({ h }) => h.learned(),
});
