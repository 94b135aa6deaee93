/** What the OT-cycleGANs with a known operator share: Sim et al. 2020 (arXiv:1909.12116), Table 1(c). */

import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Scalar, Tensor4D } from "../engine/tensor.ts";
import { critic, type criticSettings, criticStep } from "./critic.ts";
import { generator, generatorSettings } from "./generator.ts";
import { cycle, expectation, weighted } from "./losses.ts";
import type { Problem } from "./method.ts";
import type { Network, Weighted } from "./networks/network.ts";
import { type Material, type Scene, type Step, trainingSettings } from "./training.ts";

/** The settings of the cycle that all variants share. */
export const cycleSettings = {
  ...generatorSettings,
  ...trainingSettings,
  rate: { default: 2e-3, about: "learning rate of the generator", min: 0, max: 1 },
  gamma: { default: 1000, about: "weight γ of the cycle (mean absolute values)", min: 0, max: 1e6 },
} satisfies Settings;

type Known = { readonly pairs: false; readonly operator: "exactly" };
type Pair = { readonly G: Network; readonly φ: Network };
type CycleValues = Values<typeof cycleSettings>;
type CriticValues = Values<typeof criticSettings>;

/** To be spread into a definition: no pairs, the operator, and a generator that makes images of measurements. */
export const knownOperator = {
  knows: { pairs: false, operator: "exactly" } as Known,
  fakes: { G: (G: Network, { y, see }: Material<Known>): Tensor4D => G.apply(see(y)) },
  reconstructs: "G" as const,
};

/** The generator G and the critic φ of its images. */
export function generatorAndCritic(
  set: CycleValues & CriticValues,
  { seenShape, imageShape }: Problem,
  rng: Rng,
  options?: { readonly spectral?: boolean },
): Pair {
  return {
    G: generator(set, seenShape, imageShape, rng.stream("G")),
    φ: critic(set, imageShape, rng.stream("φ"), options),
  };
}

/** ℓ_cycle = E |x − G(Ax)| + E |y − A G(y)| (eq. 21, in mean absolute values). */
export function cycleLoss({ G }: Pick<Pair, "G">, { x, y, A, see, fake }: Scene<Known, "G">): Scalar {
  return cycle(x, G.apply(see(A.forward(x))), y, A.forward(fake.G));
}

/** γ·ℓ_cycle − E φ(G(y)): what of γ·ℓ_cycle + ℓ_disc (eq. 30) depends on G. */
export function transportLoss(
  networks: Pair,
  scene: Scene<Known, "G">,
  set: { readonly gamma: number },
): Scalar {
  return weighted([set.gamma, cycleLoss(networks, scene)], [-1, expectation(networks.φ, scene.fake.G)]);
}

/** One step of G, then φ's, which may have a pool or something to do after each. */
export function generatorThenCritic<φ extends Weighted = Network>(
  set: Pick<CycleValues, "rate"> & CriticValues,
  ofCritic: Pick<Step<{ readonly G: Network; readonly φ: φ }, "critic">, "pool" | "after"> = {},
): readonly Step<{ readonly G: Network; readonly φ: φ }, "generator" | "critic">[] {
  return [
    { minimise: "generator", over: ["G"], rate: set.rate },
    { minimise: "critic", over: ["φ"], ...criticStep(set), ...ofCritic },
  ];
}
