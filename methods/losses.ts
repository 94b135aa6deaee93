/**
 * Losses of the cycleGAN family, as functions of tensors. All are means over the batch.
 *
 * A critic φ maps images to patch maps; φ(x), one number an image, is the mean of its map. In the paper's
 * letters (000) the critics maximise and the generators minimise
 *
 *     γ·ℓ_cycle + ℓ_disc,   ℓ_disc = E φ(x) − E φ(G(y))  (+ the same of ψ in the measurements)
 *
 * so a critic's loss here is −ℓ_disc, and a generator's is what depends on it.
 */

import * as tf from "@tensorflow/tfjs-core";
import { assign } from "../engine/assign.ts";
import { l1, l2 } from "../engine/ops.ts";
import type { Meeting } from "./method.ts";
import type { Network } from "./networks/network.ts";
import type { Critics } from "./networks/patch_sizes.ts";
import type { Scalar, Tensor, Tensor1D, Tensor4D } from "../engine/tensor.ts";

/** What of an image the measurement shows, where that is not all of it. */
export function inField({ field }: Pick<Meeting, "field">, image: Tensor4D): Tensor4D {
  return field?.(image) ?? image;
}

/** E φ(x), a scalar. */
export function expectation(φ: Network, x: Tensor4D): Scalar {
  return tf.tidy(() => tf.mean(φ.apply(x)));
}

/** E φ(fake) − E φ(real) = −ℓ_disc, what a Wasserstein critic minimises (Arjovsky et al. 2017, arXiv:1701.07875). */
export function wasserstein(φ: Network, real: Tensor4D, fake: Tensor4D): Scalar {
  return tf.tidy(() => tf.sub(expectation(φ, fake), expectation(φ, real)));
}

/**
 * ‖∇φ(x)‖₂ of each image, `[batch]`; differentiable in φ's weights.
 *
 * @param of What is differentiated: the `mean` of φ's map, which is φ(x), or its `sum`.
 */
export function gradientNorms(φ: Network, x: Tensor4D, of: "mean" | "sum" = "mean"): Tensor1D {
  return tf.tidy(() => {
    const gradient = tf.grad((image) => {
      const map = φ.apply(image as Tensor4D);
      const total = tf.sum(map);
      return of === "mean" ? tf.mul(total, map.shape[0] / map.size) : total;
    })(x);
    // The small number keeps the root's derivative finite where a critic is flat.
    const axes = gradient.shape.map((_, axis) => axis).slice(1);
    return tf.sqrt(tf.add(tf.sum(tf.square(gradient), axes), 1e-12));
  });
}

/**
 * E (‖∇φ(x̃)‖₂ − 1)² with x̃ = αx + (1 − α)G(y) (000, eq. 39; Gulrajani et al. 2017, arXiv:1704.00028, eq. 3).
 *
 * @param α `[batch, 1, 1, 1]`, uniform in [0, 1)
 * @param of As for {@linkcode gradientNorms}.
 */
export function gradientPenalty(
  φ: Network,
  real: Tensor4D,
  fake: Tensor4D,
  α: Tensor4D,
  of: "mean" | "sum" = "mean",
): Scalar {
  return tf.tidy(() => {
    const ofEach = tf.reshape(α, [α.size, ...real.shape.slice(1).map(() => 1)]);
    const between = tf.add(fake, tf.mul(ofEach, tf.sub(real, fake)));
    return tf.mean(tf.square(tf.sub(gradientNorms(φ, between as Tensor4D, of), 1)));
  });
}

/** E φ(fake) − E φ(real) + λ·{@linkcode gradientPenalty}: what a critic of a WGAN-GP minimises. */
export function penalisedWasserstein(
  φ: Network,
  real: Tensor4D,
  fake: Tensor4D,
  { uniform }: { uniform(shape: readonly [number, number, number, number]): Tensor4D },
  λ: number,
): Scalar {
  return weighted(
    [1, wasserstein(φ, real, fake)],
    [λ, gradientPenalty(φ, real, fake, uniform([real.shape[0], 1, 1, 1]))],
  );
}

/** E (map − target)² over all patches: the least-squares GAN's only term (Mao et al. 2017, arXiv:1611.04076). */
export function leastSquares(φ: Network, x: Tensor4D, target: 0 | 1): Scalar {
  return tf.tidy(() => {
    const map = φ.apply(x);
    return l2(map, tf.fill(map.shape, target));
  });
}

/** The critic's loss of a least-squares GAN, halved as by Zhu et al. (arXiv:1703.10593, §4). */
export function leastSquaresCritic(φ: Network, real: Tensor4D, fake: Tensor4D): Scalar {
  return tf.tidy(() => weighted([0.5, leastSquares(φ, real, 1)], [0.5, leastSquares(φ, fake, 0)]));
}

/** The sum of {@linkcode leastSquares} over critics of patches. */
export function leastSquaresOfPatches({ critics }: Critics, x: Tensor4D, target: 0 | 1): Scalar {
  return weighted(...critics.map((critic) => [1, leastSquares(critic, x, target)] as const));
}

/** The sum of {@linkcode leastSquaresCritic} over critics of patches. */
export function leastSquaresCriticOfPatches({ critics }: Critics, real: Tensor4D, fake: Tensor4D): Scalar {
  return weighted(...critics.map((critic) => [1, leastSquaresCritic(critic, real, fake)] as const));
}

/** ℓ_cycle = E |x − x̂| + E |y − ŷ|, each the mean over all values, for what came back from once around the cycle. */
export function cycle(x: Tensor, xBack: Tensor, y: Tensor, yBack: Tensor): Scalar {
  return tf.tidy(() => tf.add(l1(x, xBack), l1(y, yBack)));
}

/** Σ weight·term; terms of weight 0 are left out. */
export function weighted(...terms: readonly (readonly [weight: number, term: Scalar])[]): Scalar {
  return tf.tidy(() =>
    terms.filter(([weight]) => weight !== 0)
      .map(([weight, term]): Scalar => weight === 1 ? term : tf.mul(term, weight))
      .reduce((sum, term) => tf.add(sum, term))
  );
}

/** Moves each trained weight into [−bound, bound], as the first Wasserstein GAN did (arXiv:1701.07875, algorithm 1). */
export function clip(network: Network, bound: number): void {
  for (const { variable, trained } of network.weights) {
    if (trained) tf.tidy(() => assign(variable, tf.clipByValue(variable, -bound, bound)));
  }
}
