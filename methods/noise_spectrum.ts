/**
 * The spectrum of the noise that measurements have and images do not, from images and measurements of different subjects.
 *
 * Noise of trial is given to images until their blocks have the power that blocks of measurements have, band by band.
 * Blocks are of 15 x 15 pixels, the noise generator's grid, under a Hann window and without their mean. Whatever windows,
 * means, masks and clipping do to a spectrum they do to both sides, so that nothing of it has to be known.
 *
 * Power is compared by a low quantile over blocks and not by its mean: where there is an edge, its power is a thousand
 * times that of the noise, and the difference of two means over a few hundred subjects is chance. Each band has its own
 * quantile: were blocks chosen by their power in one band, noise that is weak there by chance would be chosen too.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { type Image, sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import type { Problem } from "./method.ts";
import type { Normal } from "./networks/network.ts";
import {
  allShares,
  centreOf,
  kernelSide,
  type NoiseGenerator,
  noiseGenerator,
  powerSpectrum,
  ringOf,
  unclippedShare,
} from "./networks/noise_generator.ts";

/** Blocks of one image along an axis are at most so many, evenly spaced. */
const mostBlocks = 8;
/** Blocks of one kind are at most so many: of more, every other one is dropped. */
const mostKept = 4096;
/** The quantile of blocks' power that is compared. */
const quantile = 0.15;
/** Noise is tried so many times; what is wrong of it shrinks by a third or more each time. */
const rounds = 12;
/** So many blocks are given noise at once. */
const atOnce = 256;
/** A band without noise is given so little, in units of the scale: gains are logarithms. */
const least = 1e-4;

/** Hann's window on the grid. */
const window = Float64Array.from({ length: kernelSide ** 2 }, (_, place) => {
  const hann = (i: number) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / kernelSide);
  return hann(Math.floor(place / kernelSide)) * hann(place % kernelSide);
});
const windowSum = window.reduce((a, b) => a + b, 0);
const windowPower = window.reduce((sum, value) => sum + value ** 2, 0);

/** Whether a band is in the upper half of the rings: there anatomy is least. */
const isUpper = allShares[0].map((_, band) => ringOf(band) >= 2);
/** Blocks are told apart by what is around them, in so many steps through the range. */
const levels = 16;
/** The share of the measurements' blocks that are taken for flat. */
const flatShare = 0.1;
/** Matter takes photons away, so noise does not shrink with it; what few images say beyond this is chance. */
const mostGrowth = 1;

/** A square of an image, and the mean of what is around it. */
interface Block {
  readonly values: Float32Array;
  readonly around: number;
}

/** What is measured of a block that is not clipped. */
interface Measured {
  /** Power in each band, for white noise of deviation 1 to have about the band's sum of shares. */
  readonly bands: Float64Array;
  readonly around: number;
}

/** What a noise generator is to be set to. */
export interface MatchedNoise {
  /** The bands' standard deviations. */
  readonly deviations: readonly number[];
  /** β. */
  readonly growth: number;
}

/**
 * The noise with which F(x) has the spectrum of y: how it grows with what is around, from the upper rings, and then the
 * standard deviations of its bands.
 *
 * @throws {RangeError} where no measurement or no image has a block that was not clipped.
 */
export async function matchedNoise(
  images: AsyncIterable<Image>,
  measurements: AsyncIterable<Image>,
  { range, surroundings }: Pick<NoiseGenerator, "range" | "surroundings">,
): Promise<MatchedNoise> {
  const [x, y] = [await blocksOf(images, surroundings), await blocksOf(measurements, surroundings)];
  const [ofX, ofY] = [measured(x, range), measured(y, range)];
  const growth = range === undefined ? 0 : growthOf(ofX, ofY, range);
  const wanted = amplitudes(ofY);
  using noise = noiseGenerator({ channels: 1, deviation: 1, averaging: 1, size: [kernelSide, kernelSide] });
  let deviations = wanted.map((amplitude, band) => Math.max(least, amplitude / ofUnit[band]));
  const { normal, again } = trials();
  for (let round = 0; round < rounds; round++) {
    noise.setDeviations(deviations);
    again();
    const made = amplitudes(measured(await noisy(noise, x, normal, growth, range), range));
    deviations = deviations.map((own, band) =>
      Math.max(least, own + (wanted[band] - made[band]) / ofUnit[band])
    );
  }
  return { deviations, growth };
}

/** The slope of the noise's logarithm with what is around, in blocks that weigh the less the more coarse structure they have. */
function growthOf(
  x: readonly Measured[],
  y: readonly Measured[],
  range: NonNullable<Problem["range"]>,
): number {
  const sum = (bands: Float64Array, upper: boolean) =>
    bands.reduce((total, power, band) => isUpper[band] === upper ? total + power : total, 0);
  const ordered = y.map(({ bands }) => sum(bands, false)).sort((a, b) => a - b);
  const flat = ordered[Math.floor(flatShare * ordered.length)];
  const byLevel = (blocks: readonly Measured[]) => {
    const sums = Array.from({ length: levels }, () => ({ power: 0, weight: 0 }));
    for (const { bands, around } of blocks) {
      const level = Math.floor(levels * (around - range.low) / (range.high - range.low));
      const weight = (1 + sum(bands, false) / flat) ** -2;
      const at = sums[Math.max(0, Math.min(levels - 1, level))];
      at.power += weight * sum(bands, true);
      at.weight += weight;
    }
    return sums;
  };
  const ofX = byLevel(x);
  const points = byLevel(y).map(({ power, weight }, level) => ({
    excess: range.low + (range.high - range.low) * (level + 0.5) / levels - centreOf(range),
    half: Math.log(power / weight - ofX[level].power / ofX[level].weight) / 2,
    weight,
  })).filter(({ half, weight }) => Number.isFinite(half) && weight > 0);
  const mean = (of: (point: typeof points[number]) => number) =>
    points.reduce((sum, point) => sum + point.weight * of(point), 0) /
    points.reduce((sum, { weight }) => sum + weight, 0);
  const [middle, height] = [mean(({ excess }) => excess), mean(({ half }) => half)];
  const slope = mean(({ excess, half }) => (excess - middle) * (half - height)) /
    mean(({ excess }) => (excess - middle) ** 2);
  return Number.isFinite(slope) ? Math.min(mostGrowth, Math.max(0, slope)) : 0;
}

async function blocksOf(images: AsyncIterable<Image>, surroundings: number): Promise<Block[]> {
  let blocks: Block[] = [];
  let [seen, every] = [0, 1];
  for await (const image of images) {
    for (const block of cut(image, surroundings)) {
      if (seen++ % every !== 0) continue;
      blocks.push(block);
      if (blocks.length <= mostKept) continue;
      blocks = blocks.filter((_, i) => i % 2 === 0);
      every *= 2;
    }
  }
  return blocks;
}

/**
 * Squares of 15 x 15 pixels from end to end, which overlap by half where there is no room for more, with the mean of what is
 * around them.
 */
function* cut(
  { shape: [height, width, channels], data }: Image,
  surroundings: number,
): Generator<Block> {
  const starts = (extent: number): number[] => {
    const room = extent - kernelSide;
    if (room < 0) return [];
    const steps = Math.min(mostBlocks - 1, Math.floor(2 * room / kernelSide));
    return Array.from(
      { length: steps + 1 },
      (_, i) => steps === 0 ? room >> 1 : Math.round(room * i / steps),
    );
  };
  /** s(x) in the middle of a block. */
  const meanAround = (top: number, left: number, channel: number): number => {
    const span = (start: number, extent: number) => {
      const middle = start + (kernelSide >> 1);
      return [Math.max(0, middle - surroundings), Math.min(extent, middle + surroundings + 1)];
    };
    const [[firstRow, lastRow], [first, last]] = [span(top, height), span(left, width)];
    let sum = 0;
    for (let row = firstRow; row < lastRow; row++) {
      for (let column = first; column < last; column++) {
        sum += data[(row * width + column) * channels + channel];
      }
    }
    return sum / ((lastRow - firstRow) * (last - first));
  };
  for (const top of starts(height)) {
    for (const left of starts(width)) {
      for (let channel = 0; channel < channels; channel++) {
        const values = Float32Array.from(window, (_, place) => {
          const [row, column] = [top + Math.floor(place / kernelSide), left + place % kernelSide];
          return data[(row * width + column) * channels + channel];
        });
        yield { values, around: meanAround(top, left, channel) };
      }
    }
  }
}

/** F(x) of blocks, a few at a time. */
async function noisy(
  generator: NoiseGenerator,
  blocks: readonly Block[],
  z: Normal,
  growth: number,
  range: Problem["range"],
): Promise<Block[]> {
  const made: Block[] = [];
  for (let from = 0; from < blocks.length; from += atOnce) {
    const some = blocks.slice(from, from + atOnce);
    const tensor = tf.tidy(() => generator.apply(tf.zeros([some.length, kernelSide, kernelSide, 1]), z));
    const noise = await tensor.data();
    tensor.dispose();
    for (const [index, { values, around }] of some.entries()) {
      const level = range === undefined ? 1 : Math.exp(growth * (around - centreOf(range)));
      const noisy = values.map((value, i) => {
        const sum = value + level * unclippedShare(value, range) * noise[index * values.length + i];
        return range === undefined ? sum : Math.min(range.high, Math.max(range.low, sum));
      });
      made.push({ values: noisy, around });
    }
  }
  return made;
}

/** Random numbers that are the same in each trial: drawn in the first, which asks as often as all others. */
function trials(): { normal: Normal; again(): void } {
  const rng = stream("noise-matching/trial");
  const drawn: Float32Array[] = [];
  let next = 0;
  return {
    normal(shape) {
      const values = drawn[next] ??= Float32Array.from({ length: sizeOf(shape) }, rng.normal);
      next++;
      return tf.tensor4d(values, [...shape]);
    },
    again: () => void (next = 0),
  };
}

/** What is measured of the blocks at least half of which is not clipped. */
function measured(blocks: readonly Block[], range: Problem["range"]): Measured[] {
  const found: Measured[] = [];
  for (const { values, around } of blocks) {
    const reach = values.reduce((sum, value, i) => sum + (window[i] * unclippedShare(value, range)) ** 2, 0);
    if (reach < windowPower / 2) continue;
    const mean = values.reduce((sum, value, i) => sum + window[i] * value, 0) / windowSum;
    const spectrum = powerSpectrum(Float64Array.from(values, (value, i) => window[i] * (value - mean)));
    found.push({ bands: inBands(spectrum).map((power) => power / reach), around });
  }
  if (found.length === 0) {
    throw new RangeError(explain({
      what: `no training image has ${kernelSide}x${kernelSide} pixels above the lower end of the window`,
      where: "the spectrum of the noise",
      fix: "give larger images, or a window that holds what they show",
    }));
  }
  return found;
}

/** The root of the quantile of blocks' power in each band. */
function amplitudes(blocks: readonly Measured[]): number[] {
  return allShares[0].map((_, band) => {
    const ordered = blocks.map(({ bands }) => bands[band]).sort((a, b) => a - b);
    return Math.sqrt(ordered[Math.floor(quantile * ordered.length)]);
  });
}

/** Sums of a spectrum over each band's share of it. */
function inBands(spectrum: Float64Array): Float64Array {
  const sums = new Float64Array(allShares[0].length);
  for (let place = 0; place < spectrum.length; place++) {
    const shares = allShares[place];
    for (let band = 0; band < sums.length; band++) sums[band] += shares[band] * spectrum[place];
  }
  return sums;
}

/**
 * About the amplitudes of white noise of deviation 1, less in the lowest ring, of which the mean is a part: how far a
 * band's deviation is moved for what is wrong of its amplitude. It decides how soon the noise is found, not which.
 */
const ofUnit = Array.from(
  inBands(new Float64Array(kernelSide ** 2).fill(1)),
  (sum, band) => Math.sqrt(sum * (ringOf(band) === 0 ? 0.3 : 0.9)),
);
