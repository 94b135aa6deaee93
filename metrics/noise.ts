/**
 * How much noise a CT reconstruction has, and of what texture: so that smoothing is not mistaken for quality.
 *
 * Both are measured where the truth is flat, found without anybody's help as in O. Christianson et al., "Automated technique
 * to measure noise in clinical CT examinations", AJR 205, 2015 (there by tissue alone, here by flatness too): squares of
 * 8 x 8 pixels that overlap by half, of soft tissue (a true mean within ±200 HU, so that neither air nor a window's end
 * hides noise), of these the tenth whose surroundings are flattest over all slices of a patient, to at most 40 HU.
 * Of each square its best plane is taken off, which is what blurred neighbours leave in it rather than noise. What is
 * left, its detail, has no say in the choice: where the truth is noisy itself, a square that is chosen because it happens
 * to be smooth has less noise than the truth, and a reconstruction of just its noise would seem too noisy. The choice is
 * by 4 more pixels to each side, and by the plane; in white noise both are independent of the detail.
 */

import { type Image, squaredNorm } from "../core/image.ts";
import type { Metric } from "./metric.ts";
import { type Outcome, type Pair, scoreVolume } from "./scoring.ts";

const side = 8;
const step = side / 2;
/** Of the mean, in HU, either side of water. */
const softTissue = 200;
const share = 0.1;
/** In HU; more is structure. */
const largestDeviation = 40;

/** Standard deviation of the reconstruction in flat regions, in HU. Less than the truth has is smoothing: neither way is better. */
export const noiseHu: Metric = {
  id: "noise-hu",
  convention: "flat-regions",
  unit: "HU",
  better: "neither",
  about:
    "standard deviation from the best plane within 8x8 pixels where the truth of a patient is flat: the tenth of its soft tissue with the flattest surroundings; less noise than in the truth is smoothing",
  score: (subject) =>
    scoreVolume(
      subject,
      (volume) =>
        inFlatRegions(volume, (flat) =>
          Math.sqrt(
            flat.reduce((sum, { reconstruction }) => sum + squaredNorm(reconstruction), 0) / flat.length /
              (side * side - 3),
          )),
    ),
};

/**
 * How far the reconstruction's noise power spectrum (ICRU report 87) is from that of the truth, in dB: the log-spectral
 * distance √(mean over rings of (10 log₁₀ (N̂ + 1)/(N + 1))²), of which too little noise, as after smoothing, and too much
 * are equally bad. N is the mean of |DFT|²/64 over all flat squares, each less its plane, and over the frequencies of a
 * ring, in HU² per pixel; the 1 is the spectrum of 1 HU of white noise, below which there is none to speak of.
 */
export const npsDistance: Metric = {
  id: "nps-distance",
  convention: "flat-regions",
  unit: "dB",
  better: "lower",
  about:
    "log-spectral distance of the reconstruction’s radial noise power spectrum from the truth’s, over 8x8 pixels where the truth of a patient is flat (the tenth of its soft tissue with the flattest surroundings), with 1 HU² added to both; too smooth and too noisy are alike",
  score: (subject) =>
    scoreVolume(subject, (volume) =>
      inFlatRegions(volume, (flat) => {
        const actual = noisePowerSpectrum(flat.map(({ reconstruction }) => reconstruction));
        const wanted = noisePowerSpectrum(flat.map(({ truth }) => truth));
        const squares = actual.map((power, ring) => (10 * Math.log10((power + 1) / (wanted[ring] + 1))) ** 2);
        return Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length);
      })),
};

/** The values of one square, row by row, less their plane. */
interface Square {
  readonly reconstruction: Float64Array;
  readonly truth: Float64Array;
}

function inFlatRegions(volume: readonly Pair[], score: (flat: readonly Square[]) => number): Outcome {
  const soft = volume.flatMap((pair) =>
    cornersOf(pair.truth).flatMap((corner) => {
      const square = squareAt(pair.truth, corner);
      return Math.abs(meanOf(square)) > softTissue
        ? []
        : [{ pair, corner, deviation: deviationAround(pair.truth, corner, square) }];
    })
  );
  // Sorting is stable: equally flat squares keep their order, and the score its last bit.
  const flat = soft.toSorted((a, b) => a.deviation - b.deviation)
    .slice(0, Math.ceil(share * soft.length))
    .filter(({ deviation }) => deviation <= largestDeviation)
    .map(({ pair: { reconstruction, truth }, corner }) => ({
      reconstruction: lessPlane(squareAt(reconstruction, corner)),
      truth: lessPlane(squareAt(truth, corner)),
    }));
  return flat.length > 0 ? score(flat) : {
    reason: soft.length === 0
      ? `the truth has no soft tissue of ${side}x${side} pixels`
      : `the truth is nowhere flat: no soft tissue of ${side}x${side} pixels within ${largestDeviation} HU`,
  };
}

/** Where the squares of an image begin. */
function cornersOf({ shape: [height, width] }: Image): number[] {
  const corners: number[] = [];
  for (let row = 0; row + side <= height; row += step) {
    for (let column = 0; column + side <= width; column += step) corners.push(row * width + column);
  }
  return corners;
}

function squareAt({ shape: [, width], data }: Image, corner: number): Float64Array {
  const square = new Float64Array(side * side);
  for (let row = 0; row < side; row++) {
    square.set(data.subarray(corner + row * width, corner + row * width + side), row * side);
  }
  return square;
}

/** Standard deviation of a square with what surrounds it, as if the square were its plane. */
function deviationAround(
  { shape: [height, width], data }: Image,
  corner: number,
  square: Float64Array,
): number {
  const [top, left] = [Math.floor(corner / width), corner % width];
  const [bottom, right] = [Math.min(height, top + side + step), Math.min(width, left + side + step)];
  let [count, sum, squares] = [0, 0, 0];
  for (let row = Math.max(0, top - step); row < bottom; row++) {
    for (let column = Math.max(0, left - step); column < right; column++) {
      const value = data[row * width + column];
      count++;
      sum += value;
      squares += value ** 2;
    }
  }
  const ofDetail = squaredNorm(lessPlane(square)) / count;
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2 - ofDetail));
}

/** By ring of frequencies, 1 to 4 periods a square. */
function noisePowerSpectrum(squares: readonly Float64Array[]): number[] {
  const power = new Float64Array(side * side);
  for (const square of squares) {
    for (let frequency = 0; frequency < power.length; frequency++) {
      const [v, u] = [Math.floor(frequency / side), frequency % side];
      let [real, imaginary] = [0, 0];
      for (let i = 0; i < square.length; i++) {
        const phase = (v * Math.floor(i / side) + u * (i % side)) % side;
        real += square[i] * cosines[phase];
        imaginary += square[i] * sines[phase];
      }
      power[frequency] += (real ** 2 + imaginary ** 2) / square.length / squares.length;
    }
  }
  return rings.map((ring) => ring.reduce((sum, frequency) => sum + power[frequency], 0) / ring.length);
}

const turns = Array.from({ length: side }, (_, i) => 2 * Math.PI * i / side);
const [cosines, sines] = [turns.map(Math.cos), turns.map(Math.sin)];

/** The frequencies whose radius rounds to 1, 2, … side/2; the corners are left out. */
const rings = Array.from({ length: side / 2 }, (_, i) => {
  const signed = (k: number) => k < side / 2 ? k : k - side;
  return Array.from({ length: side * side }, (_, at) => at).filter((at) =>
    Math.round(Math.hypot(signed(Math.floor(at / side)), signed(at % side))) === i + 1
  );
});

/** A square less the plane that is nearest to it. */
function lessPlane(square: Float64Array): Float64Array {
  const slopeOf = (along: Float64Array) =>
    square.reduce((sum, value, i) => sum + value * along[i], 0) / squaredNorm(along);
  const [mean, perRow, perColumn] = [meanOf(square), slopeOf(down), slopeOf(right)];
  return square.map((value, i) => value - mean - perRow * down[i] - perColumn * right[i]);
}

// Places in a square from its centre, about which the three parts of a plane are orthogonal.
const down = Float64Array.from({ length: side * side }, (_, i) => Math.floor(i / side) - (side - 1) / 2);
const right = Float64Array.from({ length: side * side }, (_, i) => i % side - (side - 1) / 2);

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
