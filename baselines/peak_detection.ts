/** Where spots may be: peaks of a difference of Gaussians that stand out of the frame's own noise. */

import { maximaOf } from "./local_maxima.ts";
import { type Frame, leastExpected } from "./spot.ts";

// The Gaussians, in widths of a spot: the first is narrower, so that it parts spots that overlap.
const narrower = 0.5;
const wider = 2;

/**
 * The peaks of a frame, in camera pixels: local maxima of the frame smoothed by the spot's own width less the frame smoothed
 * twice as widely, at least `threshold` standard deviations of what counts as many as are around make of it.
 */
export function peaksOf(
  frame: Frame,
  sigma: number,
  threshold: number,
): { readonly x: Float64Array; readonly y: Float64Array } {
  const { height, width } = frame;
  const [narrow, wide] = [gaussian(narrower * sigma), gaussian(wider * sigma)];
  const [near, around] = [smoothed(frame, narrow), smoothed(frame, wide)];
  const gain = Math.sqrt(
    product(narrow, narrow) ** 2 - 2 * product(narrow, wide) ** 2 + product(wide, wide) ** 2,
  );
  const significance = near.map((value, i) => {
    const z = (value - around[i]) / (gain * Math.sqrt(Math.max(leastExpected, around[i])));
    return z >= threshold ? z : 0;
  });
  return maximaOf({ shape: [height, width], data: significance }, 0);
}

/** Taps at the middle of each pixel, sum 1, their middle in the middle. */
function gaussian(sigma: number): Float64Array {
  const reach = Math.ceil(3 * sigma);
  const taps = Float64Array.from(
    { length: 2 * reach + 1 },
    (_, i) => Math.exp(-(((i - reach) / sigma) ** 2) / 2),
  );
  const sum = taps.reduce((total, tap) => total + tap);
  return taps.map((tap) => tap / sum);
}

/** Σ a b, middle on middle. */
function product(a: Float64Array, b: Float64Array): number {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const shift = (long.length - short.length) / 2;
  return short.reduce((sum, tap, i) => sum + tap * long[i + shift], 0);
}

/** Along both axes; at the borders the mean of the pixels that are there. */
function smoothed({ height, width, data }: Frame, taps: Float64Array): Float64Array {
  const across = alongLines(data, height, width, [width, 1], taps);
  return alongLines(across, width, height, [1, width], taps);
}

function alongLines(
  data: Float64Array,
  lines: number,
  length: number,
  [lineStep, step]: readonly [number, number],
  taps: Float64Array,
): Float64Array {
  const reach = (taps.length - 1) / 2;
  const output = new Float64Array(data.length);
  for (let i = 0; i < length; i++) {
    const [from, to] = [Math.max(0, i - reach), Math.min(length - 1, i + reach)];
    let total = 0;
    for (let j = from; j <= to; j++) total += taps[j - i + reach];
    for (let line = 0; line < lines; line++) {
      let sum = 0;
      for (let j = from; j <= to; j++) sum += taps[j - i + reach] * data[line * lineStep + j * step];
      output[line * lineStep + i * step] = sum / total;
    }
  }
  return output;
}
