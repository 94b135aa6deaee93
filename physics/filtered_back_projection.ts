/**
 * Filtered back-projection: the inverse of the ray transform for many views without noise, and for few or
 * noisy ones a quick first image.
 *
 * f(x, y) = π/views · Σ_θ q_θ(x·cos θ + y·sin θ), with q_θ the line integrals of view θ convolved with the
 * filter, and linear interpolation between the bins (Kak & Slaney 1988, "Principles of Computerized
 * Tomographic Imaging", §3.3).
 *
 * Filters are convolution kernels sampled in space. Sampling the ramp |ω| in frequency instead would set its
 * value at 0 to 0 and make images darker by a constant (ibid., §3.3.3). Convolving `bins` values with a kernel
 * of 2·bins − 1 is one product with a symmetric matrix: no padding, no wrap-around, its own adjoint.
 */

import * as tf from "@tensorflow/tfjs-core";
import { type ParallelLines, spreadAlongLines } from "../engine/lines.ts";
import { symmetricProduct } from "../engine/ops.ts";
import { kept } from "./constants.ts";

/** The filters by name: the sharpest, and noisiest, first. */
export const filterNames = ["ram-lak", "shepp-logan", "hann"] as const;

/** One of {@linkcode filterNames}. */
export type FilterName = typeof filterNames[number];

/**
 * Each filter at whole distances n from its middle, for bins at distance 1: the kernel whose frequency
 * response, up to half the sampling rate, is |ω|/2π times the window.
 */
const kernels: { readonly [Name in FilterName]: (n: number) => number } = {
  // No window (Ramachandran & Lakshminarayanan 1971, doi:10.1073/pnas.68.9.2236).
  "ram-lak": (n) => n === 0 ? 1 / 4 : n % 2 === 0 ? 0 : -1 / (Math.PI * n) ** 2,
  // sin(ω/2) / (ω/2) (Shepp & Logan 1974, doi:10.1109/TNS.1974.6499235).
  "shepp-logan": (n) => 2 / (Math.PI ** 2 * (1 - 4 * n * n)),
  // (1 + cos ω) / 2, which adds the kernel's neighbours.
  "hann": (n) => {
    const ramp = kernels["ram-lak"];
    return ramp(n) / 2 + (ramp(n - 1) + ramp(n + 1)) / 4;
  },
};

/**
 * Filtered back-projection onto the image that `lines` cross, whose views are spread evenly over half a turn:
 * `[batch, views, bins, 1]` to `[batch, height, width, 1]`, outside the detector's reach what the bins there
 * tell. Linear and differentiable; borrows, and returns a tensor that the caller owns.
 *
 * @param pixelSize in the unit of length of the line integrals: what they are divided by
 */
export function filteredBackProjection(
  lines: ParallelLines,
  pixelSize: number,
  filter: FilterName,
): (measurement: tf.Tensor) => tf.Tensor {
  const { angles: { length: views }, bins } = lines;
  const shared: ParallelLines = { ...lines, interpolate: "bins" };
  // Bins at distance s, in the unit of length, have 1/s before the kernel; `spreadAlongLines` divides by
  // s/pixelSize.
  const scale = Math.PI / (views * pixelSize);
  const name = `filter ${filter}, ${bins} bins times ${scale}`;
  const make = (): tf.Tensor2D =>
    tf.tensor2d(toeplitz(bins, (n) => scale * kernels[filter](n)), [bins, bins]);
  return (measurement) =>
    tf.tidy(() => {
      const rows = tf.reshape<tf.Rank.R2>(measurement, [-1, bins]);
      const filtered = symmetricProduct(rows, kept(name, make));
      return spreadAlongLines(tf.reshape<tf.Rank.R4>(filtered, [-1, views, bins, 1]), shared);
    });
}

/** The matrix of the convolution with an even kernel, row by row. */
function toeplitz(size: number, kernel: (n: number) => number): Float32Array {
  const half = Float32Array.from({ length: size }, (_, n) => kernel(n));
  return Float32Array.from(
    { length: size * size },
    (_, i) => half[Math.abs(Math.floor(i / size) - i % size)],
  );
}
