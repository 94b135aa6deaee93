/** What the OT-cycleGANs share that learn the kernel of a blur: Sim et al. 2020 (arXiv:1909.12116), Table 1(b). */

import * as tf from "@tensorflow/tfjs-core";
import { UsageError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Scalar, Tensor4D } from "../engine/tensor.ts";
import type { Form } from "../physics/form.ts";
import type { Operator, Shape } from "../physics/operator.ts";
import { critic, criticSettings, criticStep } from "./critic.ts";
import { weighted } from "./losses.ts";
import type { Batch, Problem } from "./method.ts";
import { type GaussianMixture, gaussianMixture } from "./networks/gaussian_mixture.ts";
import { highPass, type HighPassOptions } from "./networks/high_pass.ts";
import type { LearnedKernel } from "./networks/learned_kernel.ts";
import type { Network, Weighted } from "./networks/network.ts";
import { freeKernel, softmaxKernel } from "./networks/pixelwise_kernel.ts";
import { measuredWithNoise, noisyCycleSettings } from "./noisy_measurements.ts";
import type { Material, Step } from "./training.ts";

/** The settings of what a kernel starts from. */
export const startSettings = {
  startSigma: {
    default: 2.8,
    about: "standard deviation that the kernel starts with, in pixels of the image",
    min: 0.1,
    max: 100,
  },
  startSigmaAxial: {
    default: 2.8,
    about: "the same along the optical axis of volumes",
    min: 0.1,
    max: 100,
  },
} as const satisfies Settings;

/** The settings of a kernel that a critic teaches, and of that critic. */
export const kernelSettings = {
  ...startSettings,
  kernelKind: {
    default: "mixture",
    choices: ["mixture", "softmax", "free"],
    about: "a mixture of Gaussians; a value a pixel, none negative and of sum 1; or any values",
  },
  sparsity: {
    default: 0,
    about: "weight λ of the paper's Q(h) = ‖h‖₁ in the kernel's loss; kernels of the kind free need it",
    min: 0,
    max: 1e6,
  },
  kernelRate: { default: 2e-2, about: "learning rate of the kernel", min: 0, max: 1 },
  averaging: {
    default: 0.01,
    about: "least weight of the newest kernel in the average that G learns from",
    min: 0,
    max: 1,
  },
  kernelImages: {
    default: 2,
    about: "draws that the kernel and ψ are shown at once",
    min: 1,
    max: 64,
    whole: true,
  },
  kernelCriticRate: { ...criticSettings.criticRate, default: 5e-3, about: "learning rate of ψ" },
  kernelCriticUpdates: { ...criticSettings.criticUpdates, about: "updates of ψ one of the kernel" },
} as const satisfies Settings;

/** The settings of the cycle, as in the paper: mean absolute values, and both halves weigh the same. */
export const blindCycleSettings = {
  ...noisyCycleSettings,
  ...criticSettings,
  loss: { ...noisyCycleSettings.loss, default: "l1" },
  gamma: { ...noisyCycleSettings.gamma, default: 100 },
  measurementCycle: { ...noisyCycleSettings.measurementCycle, default: 1 },
  adversary: { ...noisyCycleSettings.adversary, default: 1 },
} as const satisfies Settings;

/** No pairs, and of the operator all but its kernel. */
export type Blind = { readonly pairs: false; readonly operator: "form" };
type KernelValues = Values<typeof kernelSettings>;
type Start = Values<typeof startSettings>;
type Loss = "measurements" | "kernel" | "generator" | "images";

/** To be spread into a definition: G makes images of measurements, and h * x + n, n the camera's noise, measurements of images. */
export const blind = {
  knows: { pairs: false, operator: "form" } as Blind,
  fakes: {
    G: (G: Network, { y, see }: Material<Blind>): Tensor4D => G.apply(see(y)),
    h: (h: LearnedKernel, material: Material<Blind>): Tensor4D =>
      measuredWithNoise(material.form!.operator(() => h.kernel()), material),
  },
  reconstructs: "G" as const,
};

/** The operator of the average of what was learned, which stands still. */
export function averaged(h: LearnedKernel, { form }: Pick<Batch<Blind>, "form">): Operator {
  return form!.operator(() => h.averaged());
}

/** The kernel that the settings describe. */
export function kernelOf(
  set: Start & Pick<KernelValues, "kernelKind" | "averaging">,
  problem: Problem,
  method: string,
): LearnedKernel {
  const options = kernelOptions(set, problem, method);
  switch (set.kernelKind) {
    case "softmax":
      return softmaxKernel(options);
    case "free":
      return freeKernel(options);
    default:
      return gaussianMixture(options);
  }
}

/** A mixture of Gaussians that starts as the settings say, and is not averaged. */
export function mixtureOf(set: Start, problem: Problem, method: string): GaussianMixture {
  return gaussianMixture(kernelOptions({ ...set, averaging: 1 }, problem, method));
}

function kernelOptions(
  { startSigma, startSigmaAxial, averaging }: Start & Pick<KernelValues, "averaging">,
  problem: Problem,
  method: string,
) {
  const { kernelShape } = requireForm(problem, method);
  return { shape: kernelShape, start: { lateral: startSigma, axial: startSigmaAxial }, averaging };
}

/** What is known of the operator; an error where that is nothing. */
export function requireForm({ form }: Problem, method: string): Form {
  if (form !== undefined) return form;
  throw new UsageError({
    what: `${method} learns the kernel of a convolution, and this benchmark has none`,
    fix: "choose a method that knows the operator, or one that knows nothing of it",
  });
}

/** What ψ sees of a measurement: what is left when a Gaussian of 3 pixels, cut off at 9 x 9, is taken away. */
const usualDetail: HighPassOptions = { deviation: 3, reach: 4, gain: 1 };

/** ψ, the critic of measurements: it sees detail only, and has no instance normalisation, which hides how strong a blur is. */
export function kernelCritic(
  set: Parameters<typeof critic>[0],
  shape: Shape,
  rng: Rng,
  detail = usualDetail,
): Network {
  return highPass(critic({ ...set, criticNorm: false }, shape, rng), shape, detail);
}

/** What h minimises: what ψ has against it, which is given, and λ‖h‖₁. */
export function kernelLoss(
  h: LearnedKernel,
  against: Scalar,
  { sparsity }: Pick<KernelValues, "sparsity">,
): Scalar {
  return sparsity === 0 ? against : weighted([1, against], [sparsity, tf.sum(tf.abs(h.kernel()))]);
}

/**
 * ψ, then h, which it judges, both shown the same images; then G, then φ, which sees the image that G has just made.
 * `beta1` is Adam's in the steps of h, where it is not the others'.
 */
export function kernelThenGenerator<φ extends Weighted, ψ extends Weighted>(
  set:
    & Omit<KernelValues, keyof Start | "kernelKind" | "sparsity">
    & Values<typeof blindCycleSettings>,
  { beta1 }: { readonly beta1?: number } = {},
): readonly Step<{ readonly G: Network; readonly h: LearnedKernel; readonly φ: φ; readonly ψ: ψ }, Loss>[] {
  const draws = set.kernelImages;
  return [
    {
      minimise: "measurements",
      over: ["ψ"],
      rate: set.kernelCriticRate,
      times: set.kernelCriticUpdates,
      draws,
    },
    {
      minimise: "kernel",
      over: ["h"],
      rate: set.kernelRate,
      draws,
      ...(beta1 === undefined ? {} : { beta1 }),
    },
    { minimise: "generator", over: ["G"], rate: set.rate },
    { minimise: "images", over: ["φ"], ...criticStep(set) },
  ];
}
