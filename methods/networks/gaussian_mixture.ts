/** A kernel that is a mixture of Gaussians: what is learned of a blur of which only is known that it is round. */

import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../../engine/tensor.ts";
import type { Shape } from "../../physics/operator.ts";
import { type LearnedKernel, learnedKernel, requireKernelShape } from "./learned_kernel.ts";

/** A Gaussian's standard deviations in pixels. */
export interface Width {
  /** Across the optical axis. */
  readonly lateral: number;
  /** Along it; of no account in the plane. */
  readonly axial: number;
}

/** What a mixture starts from. */
export interface GaussianMixtureOptions {
  /** `[height, width, 1]` or `[depth, height, width, 1]`, odd extents. */
  readonly shape: Shape;
  /** The Gaussian that it starts from, or nearly: that one of its own which is nearest, with some of its neighbours. */
  readonly start: Width;
  /** As for every learned kernel. */
  readonly averaging: number;
}

/** A {@linkcode LearnedKernel} of a few shares, which can be set. */
export interface GaussianMixture extends LearnedKernel {
  /** Its own shape. */
  readonly shape: Shape;
  /** Its Gaussians, each of which has the sum 1 within the kernel's extent. */
  readonly widths: readonly Width[];
  /** Gives the Gaussians these shares, which are not negative and have the sum 1, and forgets the average. */
  setShares(shares: readonly number[]): void;
}

/** Standard deviations in pixels, half an octave apart. One of 0.4 becomes a delta, with which G has nothing to do. */
const laterals = [0.7, 1, 1.4, 2, 2.8, 4, 5.6];
/** Along the optical axis, an octave apart. */
const axials = [0.7, 1.4, 2.8, 5.6];
/** How fast a share falls at the start with its Gaussian's distance from the starting one: ln σ over this, squared. */
const narrowness: Width = { lateral: 0.2, axial: 0.4 };
/** The least logarithm of a share of seven at the start, relative to the largest: with less it would be slow to come back. */
const least = -5;

/**
 * Σ_i p_i·Gauss(σ_i): round, without negative values and of sum 1. The weights are the logarithms of the shares p, of which there
 * are seven in the plane and 28 in space; the shares are what is averaged. What a critic says of a single pixel of a kernel is
 * mostly chance, and kernels that can follow it do.
 *
 * @throws {RangeError} for a shape that has no middle pixel.
 */
export function gaussianMixture({ shape, start, averaging }: GaussianMixtureOptions): GaussianMixture {
  requireKernelShape(shape);
  const isVolume = shape.length === 4;
  const widths = laterals.flatMap((lateral) =>
    isVolume ? axials.map((axial) => ({ lateral, axial })) : [{ lateral, axial: lateral }]
  );
  const far = (axis: keyof Width, width: Width) =>
    -((Math.log(width[axis] / start[axis]) / narrowness[axis]) ** 2);
  const near = widths.map((width) => far("lateral", width) + (isVolume ? far("axial", width) : 0));
  const floor = least - Math.log(widths.length / laterals.length);
  const column = (values: readonly number[]) => tf.tensor2d([...values], [values.length, 1]);
  // One Gaussian a column.
  const gaussians = tf.tidy(() =>
    tf.keep(tf.stack(widths.map((width) => tf.tensor1d(gaussian(shape, width))), 1))
  ) as tf.Tensor2D;
  const learned = learnedKernel({
    start: column(near.map((value) => Math.max(floor, value - Math.max(...near)))),
    averaging,
    averages: softmax,
    make: (shares) => tf.reshape(tf.matMul(gaussians, shares as tf.Tensor2D), [...shape]),
    settled: logarithmsOfShares,
  });
  return {
    ...learned,
    shape,
    widths,
    setShares: (shares) =>
      tf.tidy(() => learned.set(column(shares.map((share) => Math.log(Math.max(1e-6, share)))))),
    [Symbol.dispose]() {
      gaussians.dispose();
      learned[Symbol.dispose]();
    },
  };
}

/** exp(w) / Σ exp(w), over all of a tensor whose values are not large: see {@linkcode logarithmsOfShares}. */
export function softmax(weights: Tensor): Tensor {
  const powers = tf.exp(weights);
  return tf.div(powers, tf.sum(powers));
}

/** The logarithms of what {@linkcode softmax} gives: weights that stand for the same shares, and are never above 0. */
export function logarithmsOfShares(weights: Tensor): Tensor {
  return tf.sub(weights, tf.log(tf.sum(tf.exp(weights))));
}

/** A Gaussian at a kernel's pixels, around the middle one, of sum 1, the last axis fastest. */
export function gaussian(shape: Shape, width: Width): Float32Array {
  return linesOf(shape, width).reduce(
    (product, line) =>
      Float32Array.from(
        { length: product.length * line.length },
        (_, i) => product[Math.floor(i / line.length)] * line[i % line.length],
      ),
    Float32Array.of(1),
  );
}

/** The factors of a Gaussian along the axes of a kernel, each of sum 1. */
export function linesOf(shape: Shape, { lateral, axial }: Width): Float64Array[] {
  const extents = shape.slice(0, -1);
  return extents.map((extent, axis) => {
    const sigma = axis < extents.length - 2 ? axial : lateral;
    const line = Float64Array.from(
      { length: extent },
      (_, i) => Math.exp(-(((i - (extent - 1) / 2) / sigma) ** 2) / 2),
    );
    const sum = line.reduce((a, b) => a + b);
    return line.map((value) => value / sum);
  });
}
