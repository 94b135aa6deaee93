/**
 * What the OT-cycleGANs of microscopes share: images are measured with the camera's noise before G sees them, so that it
 * meets in training what it will meet.
 *
 *     ℓ_cycle = E d(x, G(H x + n)) + c·E d(y, H G(y)),   d the mean absolute or squared difference
 *
 * Sim et al. 2020 (arXiv:1909.12116), eq. 21, whose n is 0; c is 1 there. H G(y) cannot repeat the noise of y, for which G
 * pays with detail where c is large.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Settings, Values } from "../core/settings.ts";
import { l1, l2 } from "../engine/ops.ts";
import type { Scalar, Tensor4D } from "../engine/tensor.ts";
import type { Operator } from "../physics/operator.ts";
import { generatorSettings } from "./generator.ts";
import { expectation, inField, weighted } from "./losses.ts";
import type { Network } from "./networks/network.ts";
import { type Material, type Scene, trainingSettings } from "./training.ts";

/** The settings of a generator that learns from measurements with noise. */
export const noisyCycleSettings = {
  ...generatorSettings,
  ...trainingSettings,
  rate: { default: 2e-3, about: "learning rate of the generator", min: 0, max: 1 },
  loss: { default: "l2", choices: ["l1", "l2"], about: "d: mean absolute difference, or mean squared one" },
  gamma: { default: 400, about: "weight γ of the cycle", min: 0, max: 1e6 },
  measurementCycle: { default: 0.1, about: "weight c of E d(y, H G(y)) within the cycle", min: 0, max: 1e6 },
  adversary: { default: 0.1, about: "weight of −E φ(G(y)) in the loss of G", min: 0, max: 1e6 },
} satisfies Settings;

type CycleValues = Values<typeof noisyCycleSettings>;

/** H x + n: what the camera makes of an image, with numbers of the step's own. Without a calibrated noise, H x. */
export function measuredWithNoise(H: Operator, { x, noise, random }: Material): Tensor4D {
  return tf.tidy(() => {
    const expected = H.forward(x) as Tensor4D;
    return noise === undefined ? expected : noise.add(expected, random.normal(expected.shape));
  });
}

/** γ·ℓ_cycle. */
export function noisyCycle(
  G: Network,
  H: Operator,
  scene: Scene,
  { loss, gamma, measurementCycle }: Pick<CycleValues, "loss" | "gamma" | "measurementCycle">,
): Scalar {
  const { x, y, see, fake } = scene;
  const d = loss === "l1" ? l1 : l2;
  const back = G.apply(see(measuredWithNoise(H, scene)));
  const ofImages = [gamma, d(inField(scene, x), inField(scene, back))] as const;
  // What has no weight is not computed: it is a third of the update.
  if (measurementCycle === 0) return weighted(ofImages);
  return weighted(ofImages, [gamma * measurementCycle, d(y, H.forward(fake.G))]);
}

/** γ·ℓ_cycle − a·E φ(G(y)): what G minimises. */
export function noisyTransportLoss(
  { G, φ }: { readonly G: Network; readonly φ: Network },
  H: Operator,
  scene: Scene,
  set: CycleValues,
): Scalar {
  const { adversary } = set;
  const cycle = noisyCycle(G, H, scene, set);
  return adversary === 0
    ? cycle
    : weighted([1, cycle], [-adversary, expectation(φ, inField(scene, scene.fake.G))]);
}

/** E d(x, G(H x + n)) and E d(y, H G(y)) in mean absolute values, on validation data. */
export function noisyCycleTerms(G: Network, H: Operator, batch: Material): Record<string, Scalar> {
  return tf.tidy(() => {
    const { x, y, see } = batch;
    return {
      "cycle-image": l1(inField(batch, x), inField(batch, G.apply(see(measuredWithNoise(H, batch))))),
      "cycle-measurement": l1(y, H.forward(G.apply(see(y)))),
    };
  });
}
