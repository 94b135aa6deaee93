/** OT-cycleGAN for a microscope whose camera is known and whose round point spread function is learned by a critic. */

import type { Settings } from "../core/settings.ts";
import { UsageError } from "../core/errors.ts";
import type { Tensor4D } from "../engine/tensor.ts";
import type { Operator } from "../physics/operator.ts";
import { critic, criticSettings, criticStep, penaltySettings } from "./critic.ts";
import { generator } from "./generator.ts";
import { expectation, penalisedWasserstein, weighted } from "./losses.ts";
import type { Batch, Method } from "./method.ts";
import { type GaussianKernel, gaussianKernel } from "./networks/gaussian_kernel.ts";
import { highPass } from "./networks/high_pass.ts";
import type { Network } from "./networks/network.ts";
import {
  measuredWithNoise,
  noisyCycleSettings,
  noisyCycleTerms,
  noisyTransportLoss,
} from "./noisy_measurements.ts";
import { defineMethod, type Material } from "./training.ts";

const settings = {
  ...noisyCycleSettings,
  ...criticSettings,
  ...penaltySettings,
  startSigma: {
    default: 3,
    min: 0.1,
    max: 100,
    about: "standard deviation that the kernel starts with, in pixels of the image",
  },
  kernelRate: { default: 5e-3, min: 0, max: 1, about: "learning rate of the kernel's two weights" },
  averaging: {
    default: 0.01,
    min: 0,
    max: 1,
    about: "least weight of the newest kernel in the average that G learns from",
  },
  kernelImages: {
    default: 8,
    min: 1,
    max: 64,
    whole: true,
    about: "draws that the kernel and ψ are shown at once: with one the kernel oscillates",
  },
  kernelCriticLayers: {
    ...criticSettings.criticLayers,
    default: 2,
    about: "how many times ψ, the critic of measurements, halves them",
  },
  kernelCriticRate: { ...criticSettings.criticRate, default: 2e-3, about: "learning rate of ψ" },
  kernelCriticUpdates: {
    ...criticSettings.criticUpdates,
    default: 2,
    about: "updates of ψ one of the kernel",
  },
} satisfies Settings;

/** No pairs, and of the operator all but its kernel. */
type Blind = { readonly pairs: false; readonly operator: "form" };

/** The operator of the kernel as it is being learned, and of its average. */
const newest = (h: GaussianKernel, { form }: Batch<Blind>): Operator => form!.operator(() => h.kernel());
const averaged = (h: GaussianKernel, { form }: Batch<Blind>): Operator => form!.operator(() => h.averaged());

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
 * - h is a Gaussian of two weights, its width and its gain. Of 784 free values the critic's verdict on each is mostly chance,
 *   and they end too narrow; without the gain the width settles too low.
 * - h learns from ψ alone: the cycle draws it to a delta, for which G has nothing to do. ψ sees 4·(y − Gauss * y), the detail
 *   of a measurement, and has two updates for one of h, on eight measurements. G learns from the average of h over steps.
 * - n is the camera's noise, which is calibrated. Squared differences; c and a are 0.1 (`ot-cyclegan-known-psf`).
 */
export const otCycleGanBlindGaussian: Method<typeof settings> = defineMethod({
  name: "ot-cyclegan-blind-gaussian",
  about: "OT-cycleGAN, camera known, point spread function a Gaussian that is learned, WGAN-GP critics",
  source: "Sim et al. 2020 (arXiv:1909.12116), Table 1(b), eq. 30 and 39",
  effort: 4,
  settings,
  knows: { pairs: false, operator: "form" } as Blind,

  networks: (set, { seenShape, imageShape, measurementShape, form }, rng) => {
    if (form === undefined) {
      throw new UsageError({
        what: "ot-cyclegan-blind-gaussian learns the kernel of a convolution, and this benchmark has none",
        fix: "choose a method that knows the operator, or one that knows nothing of it",
      });
    }
    const ofKernel = { ...set, criticLayers: set.kernelCriticLayers, criticNorm: false };
    return {
      G: generator(set, seenShape, imageShape, rng.stream("G")),
      h: gaussianKernel({ shape: form.kernelShape, sigma: set.startSigma, averaging: set.averaging }),
      φ: critic(set, imageShape, rng.stream("φ")),
      ψ: highPass(critic(ofKernel, measurementShape, rng.stream("ψ")), measurementShape, { gain: 4 }),
    };
  },

  fakes: {
    G: (G: Network, { y, see }: Material<Blind>): Tensor4D => G.apply(see(y)),
    h: (h: GaussianKernel, material: Material<Blind>): Tensor4D =>
      measuredWithNoise(newest(h, material), material),
  },

  losses: {
    measurements: ({ ψ }, { y, fake, random }, set) =>
      penalisedWasserstein(ψ, y, fake.h, random, set.penalty),
    kernel: ({ ψ }, { fake }) => weighted([-1, expectation(ψ, fake.h)]),
    generator: (networks, scene, set) =>
      noisyTransportLoss(networks, averaged(networks.h, scene), scene, set),
    images: ({ φ }, { x, fake, random }, set) => penalisedWasserstein(φ, x, fake.G, random, set.penalty),
  },

  steps: (set) => [
    {
      minimise: "measurements",
      over: ["ψ"],
      rate: set.kernelCriticRate,
      times: set.kernelCriticUpdates,
      draws: set.kernelImages,
    },
    { minimise: "kernel", over: ["h"], rate: set.kernelRate, beta1: 0, draws: set.kernelImages },
    { minimise: "generator", over: ["G"], rate: set.rate },
    { minimise: "images", over: ["φ"], ...criticStep(set) },
  ],

  reconstructs: "G",
  monitor: ({ G, h }, batch) => ({
    ...noisyCycleTerms(G, averaged(h, batch), batch),
    "kernel-sigma": h.sigma(),
    "kernel-gain": h.gain(),
  }),
  learned: ({ h }) => h.learned(),
});
