/** Counted photons: what a low dose does to a sinogram. */

import type { Rng } from "../core/random.ts";

/**
 * Line integrals as measured with `photons` photons a ray: of I₀ photons that enter, n ~ Poisson(I₀ e^−p) come
 * out, and −ln(max(n, 1)/I₀) is taken for p. Where many are counted its mean is p and its variance
 * 1/(I₀ e^−p); a ray without any photon is taken for one with one. No electronic noise, no scatter, one energy.
 *
 * @param lineIntegrals of the attenuation, without unit
 */
export function countPhotons(lineIntegrals: Float32Array, photons: number, rng: Rng): Float32Array {
  return lineIntegrals.map((p) => Math.log(photons / Math.max(1, poisson(photons * Math.exp(-p), rng))));
}

/** Below, counting arrivals one by one is the quicker way, and rejection does not work from 10 on down. */
const few = 12;

/**
 * A draw from the Poisson distribution with this mean, exact but for the rounding of float64 and uniform
 * numbers of 32 bits.
 */
export function poisson(mean: number, rng: Rng): number {
  return mean < few ? byArrivals(mean, rng) : byRejection(mean, rng);
}

/** As many as the exponential waiting times that fit into `mean` (Knuth, TAOCP 2, §3.4.1). */
function byArrivals(mean: number, rng: Rng): number {
  const end = Math.exp(-mean);
  let count = 0;
  for (let left = 1 - rng.uniform(); left > end; left *= 1 - rng.uniform()) count++;
  return count;
}

/**
 * Transformed rejection, algorithm PTRS of Hörmann 1993 (doi:10.1016/0167-6687(93)90997-4), whose letters
 * these are.
 */
function byRejection(mu: number, rng: Rng): number {
  const b = 0.931 + 2.53 * Math.sqrt(mu);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const vr = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const U = rng.uniform() - 0.5;
    const V = rng.uniform();
    const us = 0.5 - Math.abs(U);
    const k = Math.floor((2 * a / us + b) * U + mu + 0.43);
    if (us >= 0.07 && V <= vr) return k;
    if (k < 0 || (us < 0.013 && V > us)) continue;
    const density = k * Math.log(mu) - mu - logFactorial(k);
    if (Math.log(V * inverseAlpha / (a / (us * us) + b)) <= density) return k;
  }
}

/** ln k!: the sum of logarithms, or from 10 on Stirling's series, then right to 1e-12. */
function logFactorial(k: number): number {
  if (k < 10) {
    let product = 1;
    for (let i = 2; i <= k; i++) product *= i;
    return Math.log(product);
  }
  const n = k + 1;
  const series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * n * n)) / (n * n)) / (n * n)) / n;
  return (n - 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + series;
}
