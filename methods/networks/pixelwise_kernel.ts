/** Kernels of a weight a pixel: what may be learned of a blur of which only the extent is known. */

import * as tf from "@tensorflow/tfjs-core";
import { gaussian, type GaussianMixtureOptions, logarithmsOfShares, softmax } from "./gaussian_mixture.ts";
import { type LearnedKernel, learnedKernel, requireKernelShape } from "./learned_kernel.ts";

/** The least logarithm of a pixel at the start: softmax hardly moves what is far below the others. */
const least = -10;

/**
 * A kernel without negative values and of sum 1, by softmax of its weights; it starts from a Gaussian.
 *
 * @throws {RangeError} for a shape that has no middle pixel.
 */
export function softmaxKernel({ shape, start, averaging }: GaussianMixtureOptions): LearnedKernel {
  requireKernelShape(shape);
  const values = gaussian(shape, start).map((value) => Math.max(least, Math.log(value)));
  return learnedKernel({
    start: tf.tensor(values, [...shape]),
    averaging,
    averages: softmax,
    make: (kernel) => tf.clone(kernel),
    settled: logarithmsOfShares,
  });
}

/**
 * A kernel of any values, as the paper has it: what holds it is Q(h) = λ‖h‖₁, a loss. It starts from a Gaussian.
 *
 * @throws {RangeError} for a shape that has no middle pixel.
 */
export function freeKernel({ shape, start, averaging }: GaussianMixtureOptions): LearnedKernel {
  requireKernelShape(shape);
  return learnedKernel({
    start: tf.tensor(gaussian(shape, start), [...shape]),
    averaging,
    make: (kernel) => tf.clone(kernel),
  });
}
