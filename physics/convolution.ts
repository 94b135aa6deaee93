/**
 * Convolution by a kernel, of images and of volumes, with **valid borders**: a measurement holds only what is made of
 * pixels that the image has. So the image is larger than the measurement, by at least the kernel's extent less one, and
 * light comes from outside the field of view, as it does in a microscope. No border is ever made up.
 *
 *     y[p] = Σ_q h[q] x[p + o + (k − 1)/2 − q],   q from −(k − 1)/2 to (k − 1)/2 along each axis,
 *
 * k being the kernel's extent and o half of what the image has over that; an odd remainder lies at the end. So the
 * measurement lies in the middle of the image, and the kernel's middle pixel alone is the identity there.
 *
 * `approximateInverse` is the measurement in its place, continued by its mirror images: what a network is shown.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { type Image, sameShape, sizeOf } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { kept } from "./constants.ts";
import { type Extents, type Grid, gridOf } from "./convolution_grid.ts";
import { directly, type Way } from "./direct_convolution.ts";
import { byFourier } from "./fourier_convolution.ts";
import type { Form } from "./form.ts";
import type { Operator, Shape } from "./operator.ts";
import { reflected } from "./reflect.ts";
import { requireBatch } from "./shapes.ts";

/** How to convolve. */
export interface ConvolutionOptions {
  /** Unless said, what is quicker. */
  readonly by?: "sums" | "fourier";
}

const name = "convolution";

/**
 * Convolution by a kernel that is yet to be known, of images `[height, width, 1]` or `[depth, height, width, 1]`. Its
 * operators are differentiable in the image and in the kernel. They state no norm: a kernel without negative values
 * whose sum is 1 has at most 1.
 *
 * @param measurementShape as large as the kernel allows unless said.
 * @throws {RangeError} where the shapes do not belong together.
 */
export function convolutionForm(
  imageShape: Shape,
  kernelShape: Shape,
  measurementShape: Shape = largest(imageShape, kernelShape),
  options: ConvolutionOptions = {},
): Form {
  const grid = gridOf(imageShape, kernelShape, measurementShape);
  const way = wayOf(grid, options);
  return {
    imageShape,
    measurementShape,
    kernelShape,
    operator: (kernel) =>
      convolved({ imageShape, measurementShape, kernelShape }, grid, way, "learned", () => {
        const given = kernel();
        requireKernel(given.shape, kernelShape);
        return way.prepare(tf.reshape(given, [...grid.kernel]));
      }),
  };
}

/**
 * Convolution by this kernel, `[height, width, 1]` or `[depth, height, width, 1]`: the form's operator, with what can be
 * made of the kernel beforehand made once. Its norm is bounded by Σ|h|.
 *
 * @throws {RangeError} where the kernel is not of the form's shape.
 */
export function convolution(
  { imageShape, measurementShape, kernelShape }: Omit<Form, "operator">,
  kernel: Image,
  options: ConvolutionOptions = {},
): Operator {
  requireKernel(kernel.shape, kernelShape);
  const grid = gridOf(imageShape, kernelShape, measurementShape);
  const way = wayOf(grid, options);
  const { data } = kernel;
  const hash = sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const key = [name, hash, way.name, grid.image, grid.kernel, grid.measurement].join(" ");
  const prepare = () => way.prepare(tf.tensor3d(data, [...grid.kernel]));
  return {
    ...convolved({ imageShape, measurementShape, kernelShape }, grid, way, hash, () => kept(key, prepare)),
    norm: data.reduce((sum, value) => sum + Math.abs(value), 0),
  };
}

/** `prepared` gives what the way takes, either a kept tensor or one that is made within the `tf.tidy`. */
function convolved(
  { imageShape, measurementShape, kernelShape }: Omit<Form, "operator">,
  grid: Grid,
  way: Way,
  kernel: string,
  prepared: () => tf.Tensor,
): Operator {
  const on = (apply: Way["forward"], from: Shape, extents: Extents, to: Shape) => (given: tf.Tensor) =>
    tf.tidy(() => {
      requireBatch(name, given, from);
      const n = given.shape[0];
      return tf.reshape(apply(tf.reshape<tf.Rank.R4>(given, [n, ...extents]), prepared()), [n, ...to]);
    });
  return {
    name,
    settings: { imageShape, measurementShape, kernelShape, kernel },
    imageShape,
    measurementShape,
    forward: on(way.forward, imageShape, grid.image, measurementShape),
    adjoint: on(way.adjoint, measurementShape, grid.measurement, imageShape),
    approximateInverse: (measurement) =>
      tf.tidy(() => {
        requireBatch(name, measurement, measurementShape);
        return imageShape.reduce((image, extent, axis) => {
          const more = extent - measurementShape[axis];
          const before = Math.floor(more / 2);
          return reflected(image, axis + 1, before, more - before);
        }, tf.clone(measurement));
      }),
  };
}

// Forward, backward and replayed, sums take as long as transforms at about 100 (64²), 130 (256²) and 160 (32³) pixels of
// a kernel: `deno task perf convolution`.
const mostSummed = 150;

function wayOf(grid: Grid, { by }: ConvolutionOptions): Way {
  const sums = by === undefined ? sizeOf(grid.kernel) <= mostSummed : by === "sums";
  return sums ? directly(grid) : byFourier(grid);
}

/** What a kernel leaves of an image. */
function largest(imageShape: Shape, kernelShape: Shape): Shape {
  return imageShape.map((extent, axis) => extent - kernelShape[axis] + 1);
}

function requireKernel(shape: Shape, expected: Shape): void {
  if (sameShape(shape, expected)) return;
  throw new RangeError(explain({
    what: `a kernel [${shape}] for a convolution by kernels [${expected}]`,
    where: name,
    fix: `give a kernel [${expected}]`,
  }));
}
