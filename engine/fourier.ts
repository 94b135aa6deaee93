/**
 * The discrete Fourier transform along an axis, as an ordinary op.
 *
 * Complex numbers are two real tensors, one after the other along the first axis: `[2, …]`, real parts and imaginary parts.
 * Neither direction is normalised, so that each is the other's adjoint, and its gradient, of any order; one after the other
 * is the identity times the length.
 *
 * Lengths are products of twos and threes ({@linkcode goodLength}), for which there are fast algorithms.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { sizeOf } from "../core/image.ts";
import { kernel } from "./kernel_names.ts";
import type { Tensor } from "./tensor.ts";
import "./gradients.ts";
import "./stock_gradients.ts";

/**
 * y[…, k, …] = Σ_n x[…, n, …] e^(∓2πi kn / length) along `axis` of `x` `[2, …]`, counted in its own axes from 1 on; the
 * upper sign unless `inverse`.
 *
 * @throws {RangeError} where `x` is not `[2, …]`, has no such axis, or one whose length is not a {@linkcode goodLength}.
 */
export function fourier<T extends Tensor>(x: T, axis: number, { inverse = false } = {}): T {
  const length = x.shape[axis];
  if (x.shape[0] !== 2 || axis < 1 || length === undefined || goodLength(length) !== length) {
    throw new RangeError(explain({
      what: `fourier: axis ${axis} of [${x.shape}]`,
      fix: "give [2, …] and an axis from 1 on whose length is a product of twos and threes",
    }));
  }
  const outer = sizeOf(x.shape.slice(1, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const attributes = { outer, length, inner, inverse: inverse ? 1 : 0 };
  return tf.engine().runKernel(kernel.fourier, { x }, attributes) as T;
}

/** The least product of twos and threes that is not below `length`. */
export function goodLength(length: number): number {
  let best = 2 ** Math.ceil(Math.log2(Math.max(1, length)));
  for (let threes = 1; threes < best; threes *= 3) {
    best = Math.min(best, threes * 2 ** Math.max(0, Math.ceil(Math.log2(length / threes))));
  }
  return best;
}
