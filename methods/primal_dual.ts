/**
 * What the learned primal-dual methods share: the network, and how it is trained (Adler, Ringh, Öktem &
 * Karlsson 2017, arXiv:1710.10898, §4).
 */

import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Tensor4D } from "../engine/tensor.ts";
import type { Meeting, Problem } from "./method.ts";
import { type PrimalDual, primalDual } from "./networks/primal_dual.ts";
import { type Scene, type Step, trainingSettings } from "./training.ts";

/** The settings that all of them have. */
export const primalDualSettings = {
  ...trainingSettings,
  beta1: { ...trainingSettings.beta1, default: 0.9 },
  beta2: { ...trainingSettings.beta2, default: 0.99 },
  decayFrom: { ...trainingSettings.decayFrom, default: 0 },
  decay: { ...trainingSettings.decay, default: "cosine" },
  rate: { default: 1e-3, about: "learning rate of the network", min: 0, max: 1 },
  clipNorm: { default: 1, about: "largest norm of a gradient over all weights", min: 1e-6, max: 1e6 },
  iterations: { default: 5, about: "iterations of the network", min: 1, max: 100, whole: true },
  copies: {
    default: 4,
    about: "copies of image and measurement that it works on",
    min: 2,
    max: 64,
    whole: true,
  },
  width: {
    default: 16,
    about: "channels between the convolutions of a step",
    min: 1,
    max: 1024,
    whole: true,
  },
  clamp: {
    default: 0.03,
    about: "derivative below 0 of the clamp that keeps the output from being negative",
    min: 0,
    max: 1,
  },
  recompute: {
    default: false,
    about:
      "whether steps are computed once more for their gradients, not kept: a third more time, much less memory",
  },
} satisfies Settings;

type Known = { readonly pairs: true; readonly operator: "exactly" };
type Set = Values<typeof primalDualSettings>;
type Networks = { readonly P: PrimalDual };

/** The output for the batch's measurements. */
export function reconstruction({ P }: Networks, { y, A }: Scene<Known>): Tensor4D {
  return P.apply(y, A);
}

/** To be spread into a definition: matched pairs, the operator, and a network that contains it. */
export const learnedPrimalDual = {
  knows: { pairs: true, operator: "exactly" } as Known,
  reconstructs: "P" as const,
  reconstruct: ({ P }: Networks, y: Tensor4D, { A }: Meeting<Known>): Tensor4D => P.apply(y, A),
};

/** The network P. */
export function network(set: Set, problem: Problem, rng: Rng): Networks {
  const { imageShape, measurementShape } = problem;
  return { P: primalDual({ imageShape, measurementShape, ...set }, rng.stream("P")) };
}

/** One step an update. */
export function oneStep({ rate, clipNorm }: Set): readonly Step<Networks, "reconstruction">[] {
  return [{ minimise: "reconstruction", over: ["P"], rate, clipNorm }];
}
