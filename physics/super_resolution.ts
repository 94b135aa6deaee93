/**
 * Blur and coarse pixels: how a camera sees an image that lies on a grid several times finer than its own.
 *
 *     (A x)(i, j) = Σ over the fine pixels of the camera pixel (i, j) of (h * x)
 *
 * A camera pixel collects the light of its whole area, so light is neither lost nor gained: where the kernel h has the sum
 * 1, an image that is dark around has as much as its measurement. Borders are valid: the image is larger than what the
 * camera sees, by `reach` camera pixels on each side, and nothing is taken for dark that nobody knows.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { type Image, sameShape } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { conv2d, conv2dBackpropInput } from "../engine/ops.ts";
import type { Tensor, Tensor2D, Tensor4D } from "../engine/tensor.ts";
import "../engine/stock_gradients.ts";
import { kept } from "./constants.ts";
import type { Form } from "./form.ts";
import type { Operator, Shape } from "./operator.ts";
import { requireBatch } from "./shapes.ts";

/** The grids of a camera and of an image. */
export interface FineGrid {
  /** `[height, width]` of a measurement, in camera pixels. */
  readonly size: readonly [height: number, width: number];
  /** Pixels of the image along the side of a camera pixel. */
  readonly factor: number;
  /** Camera pixels that the kernel reaches to either side: its side is 2·factor·reach + 1 pixels of the image. */
  readonly reach: number;
}

/** `[height, width, 1]` of the image that a measurement of this size shows, what blurs into it included. */
export function imageShapeOf({ size, factor, reach }: FineGrid): Shape {
  return [...size.map((side) => (side + 2 * reach) * factor), 1];
}

/**
 * Blur and coarse pixels up to the blur's kernel. Its operators are differentiable in image and kernel; they state no norm.
 *
 * @throws {RangeError} for a grid that cannot be.
 */
export function superResolutionForm(grid: FineGrid): Form {
  requireGrid(grid);
  const kernelShape = kernelShapeOf(grid);
  return {
    imageShape: imageShapeOf(grid),
    measurementShape: [...grid.size, 1],
    kernelShape,
    operator: (kernel) =>
      operatorOf(grid, "learned", () => {
        const h = kernel();
        requireKernel(h.shape, kernelShape);
        return filterOf(h, grid);
      }),
  };
}

/**
 * Blur by this kernel and coarse pixels; ‖A‖ ≤ factor·Σ|h|.
 *
 * @param kernel `[side, side, 1]` with side = 2·factor·reach + 1, in pixels of the image.
 * @throws {RangeError} for a kernel of another shape, or a grid that cannot be.
 */
export function superResolution(grid: FineGrid, kernel: Image): Operator {
  requireGrid(grid);
  requireKernel(kernel.shape, kernelShapeOf(grid));
  const { factor, reach } = grid;
  const { data } = kernel;
  const hash = sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const key = [name, factor, reach, hash].join(" ");
  const filter = () => filterOf(tf.tensor(data, [...kernel.shape]), grid);
  return {
    ...operatorOf(grid, hash, () => kept(key, filter)),
    norm: factor * data.reduce((sum, value) => sum + Math.abs(value), 0),
  };
}

/**
 * What a network sees of a measurement: its values on the image's grid, between them bilinearly, beyond them as at the
 * border. It is `approximateInverse` without the share of light that a fine pixel has of its camera pixel, so that spots are
 * about as bright as those of the image.
 */
export function seenFinely(y: Tensor, A: Operator): Tensor4D {
  return tf.tidy(() => tf.mul<Tensor4D>(A.approximateInverse!(y), Number(A.settings.factor) ** 2));
}

const name = "super-resolution";

/** `filter` gives the filter of {@linkcode filterOf}: a kept one, or one that is made within the `tf.tidy`. */
function operatorOf(grid: FineGrid, kernel: string, filter: () => Tensor4D): Operator {
  const { size: [height, width], factor, reach } = grid;
  const [imageShape, measurementShape] = [imageShapeOf(grid), [height, width, 1]];
  const [rows, columns] = [height + 2 * reach, width + 2 * reach];
  return {
    name,
    settings: { size: [height, width], factor, reach, kernel },
    imageShape,
    measurementShape,
    forward(image) {
      requireBatch(name, image, imageShape);
      return tf.tidy(() => {
        // Fine pixels become channels of their camera pixel, so that nothing is computed that no camera pixel sees.
        const lines = tf.reshape(image, [image.shape[0], rows, factor, columns, factor]);
        const blocks = tf.reshape(tf.transpose(lines, [0, 1, 3, 2, 4]), [-1, rows, columns, factor ** 2]);
        return conv2d(blocks as Tensor4D, filter());
      });
    },
    adjoint(measurement) {
      requireBatch(name, measurement, measurementShape);
      return tf.tidy(() => {
        const blocks = conv2dBackpropInput(measurement as Tensor4D, filter(), [rows, columns]);
        const lines = tf.reshape(blocks, [measurement.shape[0], rows, columns, factor, factor]);
        return tf.reshape(tf.transpose(lines, [0, 1, 3, 2, 4]), [-1, ...imageShape]);
      });
    },
    approximateInverse(measurement) {
      requireBatch(name, measurement, measurementShape);
      return tf.tidy(() => {
        const down = kept(`${name} between ${height} ${factor} ${reach}`, () => between(height, grid));
        const across = kept(`${name} between ${width} ${factor} ${reach}`, () => between(width, grid));
        const rowsDone = tf.matMul(tf.reshape(measurement, [-1, width]), across);
        const turned = tf.transpose(tf.reshape(rowsDone, [-1, height, columns * factor]), [0, 2, 1]);
        const both = tf.matMul(tf.reshape(turned, [-1, height]), down);
        const image = tf.transpose(tf.reshape(both, [-1, columns * factor, rows * factor]), [0, 2, 1]);
        return tf.reshape(tf.mul(image, 1 / factor ** 2), [-1, ...imageShape]);
      });
    },
  };
}

/** `[length, (length + 2·reach)·factor]`: each column mixes the two camera pixels whose centres a fine pixel's lies between. */
function between(length: number, { factor, reach }: FineGrid): Tensor2D {
  const columns = (length + 2 * reach) * factor;
  const data = new Float32Array(length * columns);
  const inside = (pixel: number) => Math.min(length - 1, Math.max(0, pixel));
  for (let column = 0; column < columns; column++) {
    const place = (column + 0.5) / factor - reach - 0.5;
    const before = Math.floor(place);
    data[inside(before) * columns + column] += before + 1 - place;
    data[inside(before + 1) * columns + column] += place - before;
  }
  return tf.tensor2d(data, [length, columns]);
}

/**
 * The filter `[2·reach + 1, 2·reach + 1, factor², 1]` of camera pixels and of the fine pixels in each: the kernel, turned
 * round as a convolution has it, summed over the positions of a fine pixel within the camera pixel that sees it.
 */
function filterOf(kernel: Tensor, { factor, reach }: FineGrid): Tensor4D {
  return tf.tidy(() => {
    const side = 2 * factor * reach + 1;
    const cells = 2 * reach + 1;
    const B = kept(`${name} gathering ${factor} ${reach}`, () => gathering(side, factor));
    const taps = tf.matMul(tf.matMul(B, tf.reshape<tf.Rank.R2>(kernel, [side, side])), B, false, true);
    const blocks = tf.transpose(tf.reshape(taps, [cells, factor, cells, factor]), [0, 2, 1, 3]);
    return tf.reshape<tf.Rank.R4>(blocks, [cells, cells, factor ** 2, 1]);
  });
}

/** `[side + factor − 1, side]`: T = B k, T(s) = Σ over t < factor of k(side − 1 + t − s). */
function gathering(side: number, factor: number): Tensor2D {
  const rows = side + factor - 1;
  const data = new Float32Array(rows * side);
  for (let s = 0; s < rows; s++) {
    for (let t = 0; t < factor; t++) {
      const v = side - 1 + t - s;
      if (v >= 0 && v < side) data[s * side + v] = 1;
    }
  }
  return tf.tensor2d(data, [rows, side]);
}

function kernelShapeOf({ factor, reach }: FineGrid): Shape {
  const side = 2 * factor * reach + 1;
  return [side, side, 1];
}

function requireGrid({ size, factor, reach }: FineGrid): void {
  for (
    const [what, value, least] of [["height", size[0], 1], ["width", size[1], 1], ["factor", factor, 1], [
      "reach",
      reach,
      0,
    ]] as const
  ) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new RangeError(explain({
      what: `${what} ${value}`,
      where: name,
      fix: `give a whole number of at least ${least}`,
    }));
  }
}

function requireKernel(shape: Shape, wanted: Shape): void {
  if (sameShape(shape, wanted)) return;
  throw new RangeError(explain({
    what: `a kernel [${shape}] for a grid whose kernels are [${wanted}]`,
    where: name,
    fix: "give a kernel of the form's kernelShape",
  }));
}
