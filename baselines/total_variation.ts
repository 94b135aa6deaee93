/** Compressed sensing: the image of least total variation among those that explain the measurement. */

import * as tf from "@tensorflow/tfjs-core";
import type { Settings } from "../core/settings.ts";
import { conv2d, conv2dBackpropInput } from "../engine/ops.ts";
import type { Learner, Meeting, Method } from "../methods/method.ts";

/** What may be set of {@linkcode totalVariation}. */
export const totalVariationSettings = {
  weight: {
    default: 0.03,
    min: 1e-6,
    max: 1e3,
    about: "weight λ of the total variation, in units of the scale; chosen on validation subjects",
  },
  iterations: {
    default: 150,
    min: 1,
    max: 100_000,
    whole: true,
    about: "steps of the primal-dual iteration",
  },
  asSeen: {
    default: false,
    about:
      "whether the solution is measured and seen once more, where the benchmark's images are what is seen without noise",
  },
} as const satisfies Settings;

/**
 * min over x of ½‖A x − y‖² + λ TV(x), the compressed-sensing reconstruction (Rudin, Osher & Fatemi 1992; for
 * MRI Lustig, Donoho & Pauly 2007, doi:10.1002/mrm.21391).
 *
 * TV is isotropic: at each pixel the Euclidean norm of the forward differences of all channels in both
 * directions, so that for complex images an edge counts once whatever its phase; differences across the
 * border are 0.
 *
 * Solved by the primal-dual algorithm of Chambolle & Pock 2011 (doi:10.1007/s10851-010-0251-1, algorithm 1, θ
 * = 1) with both terms dualised, so that it only applies A and Aᴴ. Steps are fixed by λ alone, the number of
 * iterations by a setting: no step and no stopping depends on the data. The paper (000) leaves this rival out
 * as time-consuming. The iteration starts at the operator's approximate inverse where it has one, at the adjoint else.
 *
 * Where a benchmark's images are filtered back-projections of noise-free measurements, the solution is sharper than
 * they are, and `asSeen` shows it as they are shown: A⁺A x for the approximate inverse A⁺.
 */
export const totalVariation: Method<typeof totalVariationSettings> = {
  name: "total-variation",
  about: "compressed sensing: least total variation, weight chosen on validation subjects",
  source: "Lustig, Donoho & Pauly 2007; solved as in Chambolle & Pock 2011, algorithm 1",
  knows: { pairs: false, operator: "exactly" },
  settings: totalVariationSettings,
  trains: false,
  effort: 0.4,
  tune: { setting: "weight", values: [0.003, 0.01, 0.03, 0.1] },
  prepare: (_problem, { weight, iterations, asSeen }): Learner => ({
    parameters: 0,
    macs: () => undefined,
    reconstruct: (y, meeting) =>
      tf.tidy(() => {
        const x = leastVariation(y, meeting, weight, iterations);
        return asSeen ? meeting.see(meeting.A!.forward(x)) : x;
      }),
    weights: () => Promise.resolve([]),
    [Symbol.dispose]: () => {},
  }),
};

// The primal step τ is this over λ. Convergence within 150 iterations is best between 0.05 and 0.2 for
// weights of 0.003 to 0.1, images being scaled to values of about 1.
const stepTimesWeight = 0.1;
// Of the bound τ(σ_A‖A‖² + σ_D‖D‖²) ≤ 1 the data term takes this share, the differences the rest.
const dataShare = 0.1;
// ‖D‖² ≤ 8 for forward differences in two directions.
const differencesNorm2 = 8;

/**
 * The iteration, in the paper's letters with K = [A; D] and dual variables v, p:
 *
 *     v ← (v + σ_A (A x̄ − y)) / (1 + σ_A)        p ← p + σ_D D x̄, projected to |p| ≤ λ at each pixel
 *     x ← x − τ (Aᴴ v + Dᴴ p)                    x̄ ← 2 x − (x before)
 *
 * Here W = v/σ_A and P = p/λ, which saves multiplications.
 */
function leastVariation(y: tf.Tensor4D, { A }: Meeting, weight: number, iterations: number): tf.Tensor4D {
  if (A === undefined) throw new TypeError("total-variation needs the operator");
  const tau = stepTimesWeight / weight;
  const sigmaA = dataShare / (tau * (A.norm ?? 1) ** 2);
  const sigmaD = (1 - dataShare) / (tau * differencesNorm2);

  return tf.tidy(() => {
    let x = (A.approximateInverse ?? A.adjoint)(y) as tf.Tensor4D;
    const [, height, width, channels] = x.shape;
    const toDual = insideOnly(height, width, channels, sigmaD / weight);
    const differences = differenceFilter(channels, 1);
    const back = differenceFilter(channels, tau * weight);
    const sumOfAll = tf.ones<tf.Rank.R4>([1, 1, 2 * channels, 2 * channels]);

    let extrapolated = tf.clone(x);
    let W = tf.zerosLike(y) as tf.Tensor4D;
    let P = tf.zeros<tf.Rank.R4>([x.shape[0], height + 1, width + 1, 2 * channels]);
    for (let iteration = 0; iteration < iterations; iteration++) {
      const next = tf.tidy(() => {
        const residual = tf.sub(A.forward(extrapolated), y);
        const nextW = tf.mul<tf.Tensor4D>(tf.add(W, residual), 1 / (1 + sigmaA));
        const moved = tf.add<tf.Tensor4D>(
          P,
          tf.mul(conv2d(extrapolated, differences, { padding: 1 }), toDual),
        );
        const length2 = conv2d(tf.square(moved), sumOfAll);
        const nextP = tf.div<tf.Tensor4D>(moved, tf.sqrt(tf.clipByValue(length2, 1, Infinity)));
        const step = tf.add(
          tf.mul(A.adjoint(nextW), tau * sigmaA),
          conv2dBackpropInput(nextP, back, [height, width], { padding: 1 }),
        );
        const nextX = tf.sub<tf.Tensor4D>(x, step);
        return [nextX, tf.sub<tf.Tensor4D>(nextX, step), nextW, nextP];
      });
      tf.dispose([x, extrapolated, W, P]);
      [x, extrapolated, W, P] = next;
    }
    return x;
  });
}

/**
 * Forward differences as a 2x2 convolution with padding 1: output (i, j) has, of each channel, the vertical
 * and the horizontal difference at pixel (i − 1, j − 1), times `factor`. Its adjoint is the convolution's.
 */
function differenceFilter(channels: number, factor: number): tf.Tensor4D {
  const filter = tf.buffer<tf.Rank.R4>([2, 2, channels, 2 * channels]);
  for (let channel = 0; channel < channels; channel++) {
    for (const [direction, row, column] of [[0, 1, 0], [1, 0, 1]]) {
      filter.set(-factor, 0, 0, channel, 2 * channel + direction);
      filter.set(factor, row, column, channel, 2 * channel + direction);
    }
  }
  return filter.toTensor();
}

/**
 * `factor` where both pixels of a difference lie within the image, 0 elsewhere: `[1, height + 1, width + 1,
 * 2·channels]`.
 */
function insideOnly(height: number, width: number, channels: number, factor: number): tf.Tensor4D {
  const inside = tf.buffer<tf.Rank.R4>([1, height + 1, width + 1, 2 * channels]);
  for (let i = 1; i <= height; i++) {
    for (let j = 1; j <= width; j++) {
      for (let channel = 0; channel < channels; channel++) {
        if (i < height) inside.set(factor, 0, i, j, 2 * channel);
        if (j < width) inside.set(factor, 0, i, j, 2 * channel + 1);
      }
    }
  }
  return inside.toTensor();
}
