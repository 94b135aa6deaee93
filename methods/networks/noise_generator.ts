/**
 * A generator of noisy measurements with few parameters: noise of a learned spectrum, added to an image.
 *
 *     F(x, z) = clip(x + m(x)·a(x)·(k * z)),   k = deviation·Σ_b exp(g_b)·k_b,   a(x) = exp(β·(s(x) − c))
 *
 * z is white noise, and k a kernel of 15 x 15 pixels: bands k_b, which add up to a single 1 in the middle, times gains
 * exp(g_b) that are learned. Bands are products in the frequency plane of four directions (cos² of twice the angle) and
 * four rings (triangles between 0 and the highest frequency of an axis, beyond which the last one goes on), so that they divide
 * every frequency among them. m(x) rises from 0 to 1 over the lowest tenth of a unit above the range that images are
 * clipped to: what was clipped has no noise left. a(x) is the noise's growth with what is around: rays that meet more matter leave
 * fewer photons, so that noise is stronger inside of a large body. s(x) is the mean over a wide square of the image, c a
 * quarter of the range, and β is 0 until it is set: on simulated scans the logarithm of the noise is linear in s(x) to a hundredth.
 * Without a range m and a are 1, and nothing is clipped.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Image } from "../../core/image.ts";
import { assign } from "../../engine/assign.ts";
import { conv2d } from "../../engine/ops.ts";
import type { Scalar, Tensor4D } from "../../engine/tensor.ts";
import type { Problem } from "../method.ts";
import { newVariable, type Normal, type RandomNetwork } from "./network.ts";

/** Pixels of the kernel along an axis; odd. */
export const kernelSide = 15;
const reach = (kernelSide - 1) / 2;
const directions = 4;
const rings = 4;
const bandCount = directions * rings;
/** m(x) rises by so much a unit. */
const rise = 10;

/** What a noise generator can be. */
export interface NoiseGeneratorOptions {
  /** Channels of the images; each is given noise of its own. */
  readonly channels: number;
  /** Standard deviation of the white noise that it starts with. */
  readonly deviation: number;
  /** What the lowest ring starts with instead, as a share of that; 1 unless said. */
  readonly lowest?: number;
  /** The range that images are clipped to. */
  readonly range?: Problem["range"];
  /** Height and width of a whole image, of which s(x) takes a share. */
  readonly size: readonly number[];
  /** Least weight of the newest gains in their average; until it is reached the average is that of all steps. */
  readonly averaging: number;
}

/** Gives images noise. Its weights are the 16 numbers g, their average over steps, the number of steps, and β. */
export interface NoiseGenerator extends RandomNetwork {
  /** The range that images are clipped to; m and a are 1 where it is undefined. */
  readonly range: Problem["range"];
  /** Pixels to each side that s(x) looks at. */
  readonly surroundings: number;
  /** F(x, z), `[batch, height, width, channels]`, with the gains as they are being learned; draws z. */
  apply(x: Tensor4D, normal: Normal): Tensor4D;
  /** The same with the average of g over steps, which is steadier: what a generator is to learn from. */
  averaged(x: Tensor4D, normal: Normal): Tensor4D;
  /** ‖k‖₂ with the average, the standard deviation of the noise where m and a are 1. */
  deviation(): Scalar;
  /** β. */
  growth(): Scalar;
  /** Sets β. */
  setGrowth(growth: number): void;
  /** Sets the 16 standard deviations of the bands, deviation·exp(g_b), and forgets the average. */
  setDeviations(deviations: readonly number[]): void;
  /** The average's kernel, and its power spectrum with frequency 0 in the middle. */
  learned(): Promise<Record<string, Image>>;
}

/** A noise generator that starts with noise that is white, but perhaps for its lowest ring. */
export function noiseGenerator(options: NoiseGeneratorOptions): NoiseGenerator {
  const { channels, deviation, lowest = 1, range, size, averaging } = options;
  const start = Array.from({ length: bandCount }, (_, band) => ringOf(band) === 0 ? Math.log(lowest) : 0);
  const column = (values: readonly number[]) => tf.tensor2d([...values], [values.length, 1]);
  const gains = newVariable(column(start));
  const average = newVariable(column(start));
  const steps = newVariable(tf.zeros([1]));
  const growth = newVariable(tf.zeros([1]));
  const bands = tf.keep(tf.tensor2d(bandKernels(deviation), [kernelSide ** 2, bandCount]));
  const apart = tf.tidy(() => tf.keep(tf.reshape(tf.eye(channels), [1, 1, channels, channels])));
  const around = surroundingsOf(size);

  const kernel = (g: tf.Tensor): Tensor4D =>
    tf.reshape(tf.matMul(bands, tf.exp(g) as tf.Tensor2D), [kernelSide, kernelSide, 1, 1]);

  const noisy = (x: Tensor4D, g: tf.Tensor, normal: Normal): Tensor4D =>
    tf.tidy(() => {
      const [batch, height, width] = x.shape;
      // Wider than the image, so that its noise is the same up to the border.
      const z = normal([batch, height + 2 * reach, width + 2 * reach, channels]);
      const noise = conv2d(z, channels === 1 ? kernel(g) : tf.mul(kernel(g), apart));
      if (range === undefined) return tf.add(x, noise);
      const excess = tf.sub(boxMean(x, around, apart), centreOf(range));
      const level = tf.mul(unclipped(x, range), tf.exp(tf.mul(excess, growth)));
      return tf.clipByValue(tf.add(x, tf.mul(level, noise)), range.low, range.high);
    });

  return {
    range,
    surroundings: around,
    weights: [
      { name: "gains", variable: gains, trained: true },
      { name: "average", variable: average, trained: false },
      { name: "steps", variable: steps, trained: false },
      { name: "growth", variable: growth, trained: false },
    ],
    apply: (x, normal) => noisy(x, gains, normal),
    averaged: (x, normal) => noisy(x, average, normal),
    deviation: () => tf.tidy(() => tf.sqrt(tf.sum(tf.square(kernel(average))))),
    growth: () => tf.reshape(growth, []),
    settle: () =>
      tf.tidy(() => {
        assign(steps, tf.add(steps, 1));
        const newest = tf.maximum(tf.reciprocal(steps), averaging);
        assign(average, tf.add(average, tf.mul(newest, tf.sub(gains, average))));
      }),
    setGrowth: (value) => tf.tidy(() => assign(growth, tf.fill([1], value))),
    setDeviations: (deviations) =>
      tf.tidy(() => {
        const g = column(deviations.map((value) => Math.log(value / deviation)));
        assign(gains, g);
        assign(average, g);
        assign(steps, tf.zeros([1]));
      }),
    async learned() {
      const k = tf.tidy(() => kernel(average));
      const data = Float32Array.from(await k.data());
      k.dispose();
      const shape = [kernelSide, kernelSide, 1];
      return {
        "noise-kernel": { shape, data },
        "noise-spectrum": { shape, data: centred(powerSpectrum(data)) },
      };
    },
    [Symbol.dispose]: () => tf.dispose([gains, average, steps, growth, bands, apart]),
  };
}

/** s(x) looks at so many pixels to each side: the square is three eighths of an image wide. */
function surroundingsOf(size: readonly number[]): number {
  return Math.round(3 / 16 * Math.min(...size));
}

/** c. */
export function centreOf({ low, high }: NonNullable<Problem["range"]>): number {
  return low + (high - low) / 4;
}

/** The mean over the pixels of a square around each that lie within the image; `apart` keeps channels by themselves. */
function boxMean(x: Tensor4D, around: number, apart: tf.Tensor): Tensor4D {
  const line = (shape: [number, number, number, number]) => tf.mul<Tensor4D>(tf.ones(shape), apart);
  const [, height, width] = x.shape;
  const sum = (image: Tensor4D) => {
    // Convolutions are padded on all sides; what the first one adds to the left and right is zero, and stays outside.
    const columns = conv2d(image, line([2 * around + 1, 1, 1, 1]), { padding: around });
    const square = conv2d(columns, line([1, 2 * around + 1, 1, 1]), { padding: around });
    return tf.slice(square, [0, around, around, 0], [-1, height, width, -1]);
  };
  return tf.div(sum(x), sum(tf.ones([1, height, width, x.shape[3]])));
}

/** m(x): 0 where an image was clipped from below, so that its noise is gone, 1 where it was not. */
export function unclipped(x: Tensor4D, { low }: NonNullable<Problem["range"]>): Tensor4D {
  return tf.tidy(() => tf.clipByValue(tf.mul(tf.sub(x, low), rise), 0, 1));
}

/** m of one value. */
export function unclippedShare(value: number, range: Problem["range"]): number {
  return range === undefined ? 1 : Math.min(1, Math.max(0, rise * (value - range.low)));
}

/** A frequency of the grid, in cycles a pixel, by its place in a discrete Fourier transform of 15 values. */
const frequency = (place: number): number => (place > reach ? place - kernelSide : place) / kernelSide;

/** Bands go direction by direction, and within one from the lowest ring, 0, to the highest. */
export function ringOf(band: number): number {
  return band % rings;
}

/** The share of each band in the frequency of a row and a column of the grid: adds up to 1. */
export function shares(row: number, column: number): number[] {
  const [v, u] = [frequency(row), frequency(column)];
  const radius = Math.min(1, Math.hypot(u, v) / 0.5) * (rings - 1);
  const angle = Math.atan2(v, u);
  return Array.from({ length: bandCount }, (_, band) => {
    const ring = Math.max(0, 1 - Math.abs(radius - ringOf(band)));
    if (radius === 0) return ring / directions;
    const turned = angle - Math.floor(band / rings) * Math.PI / directions;
    // The angle between two lines, which is at most a right one.
    const between = Math.abs(turned - Math.PI * Math.round(turned / Math.PI));
    return between < Math.PI / directions ? ring * Math.cos(directions / 2 * between) ** 2 : 0;
  });
}

/** Every frequency's {@linkcode shares}, row by row. */
export const allShares: readonly (readonly number[])[] = Array.from(
  { length: kernelSide ** 2 },
  (_, place) => shares(Math.floor(place / kernelSide), place % kernelSide),
);

/** The bands' kernels times a factor, pixel by pixel: `[15·15, 16]`. */
function bandKernels(factor: number): Float32Array {
  const kernels = new Float32Array(kernelSide ** 2 * bandCount);
  for (let pixel = 0; pixel < kernelSide ** 2; pixel++) {
    const [y, x] = [Math.floor(pixel / kernelSide) - reach, pixel % kernelSide - reach];
    const sums = new Float64Array(bandCount);
    allShares.forEach((share, place) => {
      const [row, column] = [Math.floor(place / kernelSide), place % kernelSide];
      const wave = Math.cos(2 * Math.PI * (frequency(row) * y + frequency(column) * x)) / kernelSide ** 2;
      share.forEach((value, band) => sums[band] += value * wave);
    });
    sums.forEach((sum, band) => kernels[pixel * bandCount + band] = factor * sum);
  }
  return kernels;
}

/** |DFT|² of 15 x 15 values, row by row, frequency 0 first. */
export function powerSpectrum(values: ArrayLike<number>): Float64Array {
  const n = kernelSide;
  // Rows first, of real values; the columns of what they give are complex.
  const [real, imaginary] = [new Float64Array(n * n), new Float64Array(n * n)];
  for (let row = 0; row < n; row++) {
    for (let u = 0; u < n; u++) {
      let [re, im] = [0, 0];
      for (let column = 0; column < n; column++) {
        const value = values[row * n + column];
        re += value * cosines[u * n + column];
        im -= value * sines[u * n + column];
      }
      real[row * n + u] = re;
      imaginary[row * n + u] = im;
    }
  }
  const power = new Float64Array(n * n);
  for (let v = 0; v < n; v++) {
    for (let u = 0; u < n; u++) {
      let [re, im] = [0, 0];
      for (let row = 0; row < n; row++) {
        const [c, s] = [cosines[v * n + row], sines[v * n + row]];
        re += real[row * n + u] * c + imaginary[row * n + u] * s;
        im += imaginary[row * n + u] * c - real[row * n + u] * s;
      }
      power[v * n + u] = re * re + im * im;
    }
  }
  return power;
}

const angles = Float64Array.from({ length: kernelSide ** 2 }, (_, place) => {
  const turns = Math.floor(place / kernelSide) * (place % kernelSide) % kernelSide / kernelSide;
  return 2 * Math.PI * turns;
});
const [cosines, sines] = [angles.map(Math.cos), angles.map(Math.sin)];

/** The grid with frequency 0 in its middle. */
function centred(spectrum: Float64Array): Float32Array {
  return Float32Array.from(spectrum, (_, place) => {
    const [row, column] = [Math.floor(place / kernelSide), place % kernelSide];
    const from = [row, column].map((at) => (at - reach + kernelSide) % kernelSide);
    return spectrum[from[0] * kernelSide + from[1]];
  });
}
