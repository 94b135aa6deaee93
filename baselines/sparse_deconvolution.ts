/**
 * Deconvolution of a frame on a grid finer than its pixels, for the least light that explains it: what sparse methods of
 * localisation microscopy start with (L. Zhu et al., Nature Methods 9, 2012; J. Min et al., Scientific Reports 4, 2014).
 */

import type { Blur } from "./fine_grid.ts";
import { type Frame, leastExpected } from "./spot.ts";

/** How a frame is deconvolved. */
export interface Deconvolution {
  /** Price of light, in standard deviations of what noise alone pulls at a point of the grid. */
  readonly sparsity: number;
  /** Steps of the iteration. */
  readonly iterations: number;
}

/** A frame on a fine grid. */
export interface Deconvolved {
  /** Points down and across, margins included. */
  readonly shape: readonly [number, number];
  /** Counts at each. */
  readonly data: Float64Array;
  /** Counts of background in each camera pixel. */
  readonly background: number;
}

// Between two looks at the whole grid, steps are over those points alone that have light or want some.
const stepsBetweenLooks = 10;
// By then it is known well enough what to expect of a pixel.
const stepsBeforeWeighting = 30;

/**
 * min over x ≥ 0 and b of ½ Σ (A x + b − d)² / μ + s Σ √((A²)ᵀ 1/μ) x, for d counts, A the blur from a fine grid, and μ what
 * is expected of each pixel: at first its counts, after some steps A x + b.
 *
 * Solved by accelerated proximal gradients (A. Beck & M. Teboulle, SIAM J. Imaging Sci. 2, 2009) with a step for each point of
 * its own, 1 / (Aᵀ (A 1 / μ)), which bounds the curvature since nothing in A is negative. The number of steps is fixed.
 */
export function sparseDeconvolution(
  { data }: Frame,
  blur: Blur,
  { iterations, sparsity }: Deconvolution,
): Deconvolved {
  const { everywhere } = blur;
  const zeros = () => new Float64Array(blur.points);
  const [pull, price, curvature] = [zeros(), zeros(), zeros()];
  const [expected, residual] = [new Float64Array(data.length), new Float64Array(data.length)];
  let [before, x] = [zeros(), zeros()];
  let background = Math.max(leastExpected, data.toSorted()[Math.floor(data.length / 5)]);
  let weights = data.map((count) => 1 / Math.max(leastExpected, count, background));
  let active = everywhere;
  let momentum = 1;

  /** The weighted residual of an x that has light at the active points only. */
  const look = (at: Float64Array): Float64Array => {
    blur.forward(at, active, expected);
    for (let i = 0; i < data.length; i++) residual[i] = weights[i] * (data[i] - expected[i] - background);
    return residual;
  };
  const weigh = () => {
    const reached = blur.ofOnes.map((value, i) => weights[i] * value);
    blur.adjoint(reached, everywhere, curvature);
    blur.adjointOfSquares(weights, price);
    for (let j = 0; j < price.length; j++) price[j] = sparsity * Math.sqrt(price[j]);
    [before, momentum] = [x, 1];
  };
  weigh();
  for (let step = 0; step < iterations; step++) {
    if (step % stepsBetweenLooks === 0) {
      look(x);
      if (step === stepsBeforeWeighting) {
        weights = expected.map((value) => 1 / Math.max(leastExpected, value + background));
        weigh();
      }
      background = Math.max(leastExpected, meanOf(data, expected, weights));
      blur.adjoint(look(x), everywhere, pull);
      active = everywhere.filter((j) => x[j] > 0 || pull[j] > price[j]);
    }
    const nextMomentum = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    const inertia = (momentum - 1) / nextMomentum;
    const ahead = zeros();
    for (const j of active) ahead[j] = x[j] + inertia * (x[j] - before[j]);
    blur.adjoint(look(ahead), active, pull);
    const next = zeros();
    for (const j of active) next[j] = Math.max(0, ahead[j] + (pull[j] - price[j]) / curvature[j]);
    [before, x, momentum] = [x, next, nextMomentum];
  }
  return { shape: [blur.rows, blur.columns], data: x, background };
}

/** The background that explains best what is left. */
function meanOf(data: Float64Array, expected: Float64Array, weights: Float64Array): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    sum += weights[i] * (data[i] - expected[i]);
    total += weights[i];
  }
  return sum / total;
}
