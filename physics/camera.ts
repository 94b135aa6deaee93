/**
 * Cameras: photons are counted, multiplied in some, and read out with noise.
 *
 * Images are in units of brightness, 1 being the brightest structure. A pixel of brightness b expects λ = photons·b +
 * background photoelectrons. A plain camera counts N ~ Poisson(λ). An electron-multiplying one (EM-CCD) multiplies each
 * by a gain that varies like an exponential variable; in units of the mean gain, which is large, it gives S ~ Gamma(N, 1),
 * whose variance is 2 λ: the excess noise factor √2 (Hirsch et al. 2013, doi:10.1371/journal.pone.0053671). Reading out
 * adds N(0, readNoise²). The background is then subtracted, and what is left divided by `photons`, so that measurements
 * are in units of brightness and expect b.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Tensor4D } from "../engine/tensor.ts";
import "../engine/stock_gradients.ts";
import type { Noise } from "./noise.ts";
import { poisson } from "./photon_noise.ts";

/** What decides a camera's noise. */
export interface Camera {
  /** Photoelectrons of a pixel of brightness 1. */
  readonly photons: number;
  /** Photoelectrons of a dark pixel; 0 unless said. */
  readonly background?: number;
  /** Standard deviation of the read-out, in photoelectrons (of an EM-CCD, before multiplication). */
  readonly readNoise: number;
  /** Whether electrons are multiplied before they are read out. */
  readonly multiplies?: boolean;
}

/**
 * What the camera records of pixels of this brightness, in units of brightness. Where fewer than no photons are expected,
 * none are counted.
 *
 * @throws {RangeError} where the camera cannot be.
 */
export function photographed(brightness: Float32Array, camera: Camera, rng: Rng): Float32Array {
  requireCamera(camera);
  const { photons, background = 0, readNoise, multiplies = false } = camera;
  const [arrivals, gains, readout] = ["photons", "gains", "read-out"].map((part) => rng.stream(part));
  return brightness.map((b) => {
    const counted = poisson(Math.max(0, photons * b + background), arrivals);
    const read = (multiplies ? gamma(counted, gains) : counted) + readNoise * readout.normal();
    return (read - background) / photons;
  });
}

// Below this many photoelectrons² nobody sees noise, and the derivative of its root grows without bound.
const leastVariance = 0.01;

/**
 * The camera's noise for training: with κ₂ and κ₃ the second and third cumulant of what it reads out, and n ~ N(0, 1),
 *
 *     n √κ₂ + (n² − 1)/6 · κ₃/κ₂,   κ₂ = λ + readNoise², κ₃ = λ;   of an EM-CCD 2 λ + readNoise² and 6 λ,
 *
 * photoelectrons: the first two terms of Cornish and Fisher's expansion (1938). Its mean is right, its variance too large by
 * κ₃²/(18 κ₂²), at most 1/18 of a photoelectron² (of an EM-CCD 1/2), and its skewness right to first order. It is differentiable
 * in what is expected, where counting is not.
 *
 * @throws {RangeError} where the camera cannot be.
 */
export function noiseOf(camera: Camera): Noise {
  requireCamera(camera);
  const { photons, background = 0, readNoise, multiplies = false } = camera;
  const [second, third] = multiplies ? [2, 6] : [1, 1];
  return {
    settings: { photons, background, readNoise, multiplies },
    add: (expected, normal) =>
      tf.tidy(() => {
        const counts = tf.clipByValue(tf.add(tf.mul(expected, photons), background), 0, Infinity);
        const variance = tf.clipByValue(
          tf.add(tf.mul(counts, second), readNoise ** 2),
          leastVariance,
          Infinity,
        );
        const skewed = tf.div(tf.mul(counts, third / 6), variance);
        const noise = tf.add(
          tf.mul(normal, tf.sqrt(variance)),
          tf.mul(tf.sub(tf.square(normal), 1), skewed),
        );
        return tf.add<Tensor4D>(expected, tf.div(noise, photons));
      }),
  };
}

/** How camera counts become photoelectrons. */
export interface Calibration {
  /** Counts of a pixel that no light reaches. */
  readonly offset: number;
  /** Counts a photoelectron. */
  readonly gain: number;
}

/** Photoelectrons from camera counts: (counts − offset) / gain. */
export function photoelectrons(counts: Float32Array, { offset, gain }: Calibration): Float32Array {
  if (!(gain > 0 && gain < Infinity && Number.isFinite(offset))) {
    throw new RangeError(explain({
      what: `a camera with an offset of ${offset} counts and ${gain} counts a photoelectron`,
      where: "the camera",
      fix: "give a finite offset and a gain above 0",
    }));
  }
  return counts.map((count) => (count - offset) / gain);
}

/** The sum of `shape` exponential variables of mean 1; the method of Marsaglia & Tsang 2000, doi:10.1145/358407.358414. */
function gamma(shape: number, rng: Rng): number {
  if (shape === 0) return 0;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - rng.uniform()) < x * x / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

function requireCamera({ photons, background = 0, readNoise }: Camera): void {
  const possible = photons > 0 && photons < Infinity && background >= 0 && background < Infinity &&
    readNoise >= 0 && readNoise < Infinity;
  if (possible) return;
  throw new RangeError(explain({
    what:
      `a camera with ${photons} photons, a background of ${background} and a read-out noise of ${readNoise}`,
    where: "the camera",
    fix: "give photons above 0, and a background and a noise of 0 or more",
  }));
}
