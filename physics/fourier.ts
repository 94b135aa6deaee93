/**
 * Undersampled Fourier measurements of complex images, taken back to image space.
 *
 * Measuring some lines of k-space and filling the others with zeros is H = F⁻¹ P F: F the centred orthonormal
 * transform along the width, P the projection onto the measured lines. (Along the height everything is
 * measured, and the transform there cancels against its inverse.) As a map from image to aliased image it is
 * a projection and its own adjoint: H = Hᴴ = H². It is also a circular convolution of every row with h[d] =
 * 1/W Σ_k P[k] e^{2πi (k − ⌊W/2⌋) d / W}: one product with a fixed real matrix, which at our sizes is faster
 * than any FFT, and exists on every backend.
 */

import * as tf from "@tensorflow/tfjs-core";
import { symmetricProduct } from "../engine/ops.ts";
import { kept } from "./constants.ts";
import { type Lines, requireLines } from "./masks.ts";
import type { Operator } from "./operator.ts";
import { requireBatch } from "./shapes.ts";

/**
 * The operator H = F⁻¹PF on complex images: `[height, width, 2]` to the aliased (zero-filled) image, the same
 * shape.
 *
 * @param lines k-space lines along the width that are measured.
 * @throws {RangeError} where a line lies outside the image or none is measured.
 */
export function maskedFourier(height: number, width: number, lines: Lines): Operator {
  requireLines(width, lines);
  const shape = [height, width, 2];
  const aliased = aliasing(width, lines);
  const apply = (image: tf.Tensor): tf.Tensor =>
    tf.tidy(() => {
      requireBatch("masked-fourier", image, shape);
      return aliased(image);
    });
  return {
    name: "masked-fourier",
    settings: { height, width, lines },
    imageShape: shape,
    measurementShape: shape,
    forward: apply,
    adjoint: apply,
  };
}

/** F⁻¹PF on complex rows `[…, width, 2]`; borrows, and returns a tensor that the caller owns. */
export function aliasing(width: number, lines: Lines): (image: tf.Tensor) => tf.Tensor {
  const name = `F⁻¹PF ${width}: ${lines}`;
  const make = (): tf.Tensor2D => {
    const weights = new Float64Array(width);
    for (const line of lines) weights[line] = 1;
    return tf.tensor2d(circulant(weights), [2 * width, 2 * width]);
  };
  return (image) =>
    tf.tidy(() => {
      const rows = tf.reshape<tf.Rank.R2>(image, [-1, 2 * width]);
      return tf.reshape(symmetricProduct(rows, kept(name, make)), image.shape);
    });
}

/**
 * The real matrix of x ↦ F⁻¹ diag(weights) F x for rows of complex numbers `(re, im, re, im, …)`, by which
 * such a row is multiplied from the right. Real weights make it symmetric. Worked out in float64, `[2W, 2W]`
 * row by row.
 */
export function circulant(weights: Float64Array): Float32Array {
  const width = weights.length;
  const centre = Math.floor(width / 2);
  const re = new Float64Array(width);
  const im = new Float64Array(width);
  for (let d = 0; d < width; d++) {
    for (let k = 0; k < width; k++) {
      if (weights[k] === 0) continue;
      // Reducing the integer first keeps the angle exact for any width.
      const angle = 2 * Math.PI * (((k - centre) * d % width) / width);
      re[d] += weights[k] * Math.cos(angle) / width;
      im[d] += weights[k] * Math.sin(angle) / width;
    }
  }
  const matrix = new Float32Array(4 * width * width);
  for (let from = 0; from < width; from++) {
    for (let to = 0; to < width; to++) {
      const d = (to - from + width) % width;
      const at = 4 * from * width + 2 * to;
      matrix[at] = re[d];
      matrix[at + 1] = im[d];
      matrix[at + 2 * width] = -im[d];
      matrix[at + 2 * width + 1] = re[d];
    }
  }
  return matrix;
}
