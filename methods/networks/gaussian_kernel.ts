/** A Gaussian kernel of two weights, its width and its gain: what is learned of a microscope whose spots are round. */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../../core/errors.ts";
import type { Scalar, Tensor } from "../../engine/tensor.ts";
import type { Shape } from "../../physics/operator.ts";
import { type LearnedKernel, learnedKernel } from "./learned_kernel.ts";

/** How fast the gain's logarithm moves against that of σ. */
const gainPace = 0.1;

/** What a Gaussian kernel starts from. */
export interface GaussianKernelOptions {
  /** `[height, width, 1]`, odd extents. */
  readonly shape: Shape;
  /** Standard deviation that it starts with, in its pixels. */
  readonly sigma: number;
  /** As for every learned kernel. */
  readonly averaging: number;
}

/** A {@linkcode LearnedKernel} of two weights, and what their averages are. */
export interface GaussianKernel extends LearnedKernel {
  /** Standard deviation, in pixels of the kernel. */
  sigma(): Scalar;
  /** Sum of the kernel. */
  gain(): Scalar;
}

/**
 * gain · g ⊗ g with g ∝ exp(−d²/(2σ²)) of sum 1 over the extent of the kernel. The weights are ln σ and 10·ln gain, so that
 * both stay positive, and a step of one size changes σ by the same share wherever it is, and the gain by a tenth of that:
 * how high a spot is, which a critic sees first, both can change, and at one pace they overshoot together. The gain starts as 1.
 *
 * @throws {RangeError} for a kernel that is no odd-sided `[height, width, 1]`, or a σ that is not positive.
 */
export function gaussianKernel({ shape, sigma, averaging }: GaussianKernelOptions): GaussianKernel {
  const [height, width, channels, ...more] = shape;
  if (channels !== 1 || more.length > 0 || height % 2 !== 1 || width % 2 !== 1) {
    throw new RangeError(explain({
      what: `no Gaussian kernel is [${shape}]`,
      where: "gaussian-kernel",
      fix: "give [height, width, 1] with odd extents; volumes need another kernel",
    }));
  }
  if (!(sigma > 0)) throw new RangeError(`the standard deviation of a kernel is positive, not ${sigma}`);
  const [rows, columns] = [height, width].map((extent) => tf.keep(squaredDistances(extent)));
  const sigmaOf = (weights: Tensor): Tensor => tf.exp(tf.slice(weights, [0], [1]));
  const gainOf = (weights: Tensor): Tensor => tf.exp(tf.mul(tf.slice(weights, [1], [1]), gainPace));
  const line = (squares: Tensor, σ: Tensor): Tensor => {
    const values = tf.exp(tf.div(squares, tf.mul(tf.square(σ), -2)));
    return tf.div(values, tf.sum(values));
  };
  const learned = learnedKernel({
    start: tf.tensor1d([Math.log(sigma), 0]),
    averaging,
    make: (weights) => {
      const σ = sigmaOf(weights);
      const down = tf.mul(line(rows, σ), gainOf(weights));
      const product = tf.matMul(tf.reshape(down, [height, 1]), tf.reshape(line(columns, σ), [1, width]));
      return tf.reshape(product, [height, width, 1]);
    },
  });
  const { average } = learned;
  return {
    ...learned,
    sigma: () => tf.tidy(() => tf.reshape(sigmaOf(average), [])),
    gain: () => tf.tidy(() => tf.reshape(gainOf(average), [])),
    [Symbol.dispose]() {
      tf.dispose([rows, columns]);
      learned[Symbol.dispose]();
    },
  };
}

/** The squared distance of each pixel of a line from its middle. */
function squaredDistances(extent: number): Tensor {
  return tf.tensor1d(Float32Array.from({ length: extent }, (_, i) => (i - (extent - 1) / 2) ** 2));
}
