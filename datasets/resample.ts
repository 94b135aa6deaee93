/** Real images brought to a square matrix of another size. */

import type { Image } from "../core/image.ts";

/** Values `[height, width]` with `fill` around them, so that they are square; the image keeps its centre. */
export function paddedToSquare(
  values: Float32Array,
  height: number,
  width: number,
  fill: number,
): Float32Array {
  if (height === width) return values;
  const side = Math.max(height, width);
  const output = new Float32Array(side * side).fill(fill);
  const top = Math.floor((side - height) / 2);
  const left = Math.floor((side - width) / 2);
  for (let row = 0; row < height; row++) {
    output.set(values.subarray(row * width, (row + 1) * width), (top + row) * side + left);
  }
  return output;
}

/** How {@linkcode resampled} goes from one side to another, for people. */
export function resamplingOf(side: number, matrix: number): string {
  return side % matrix === 0 ? "averaging over areas" : "linear interpolation with antialiasing";
}

/**
 * A square image `[side, side]` as `[matrix, matrix, 1]` of the same field of view: means over areas where `matrix`
 * divides `side`; otherwise linear interpolation, its triangle as wide as the larger of the two pixels, so that
 * nothing aliases (Pillow's `BOX` and `BILINEAR`). Both keep a constant image as it is.
 */
export function resampled(values: Float32Array, side: number, matrix: number): Image {
  const shape = [matrix, matrix, 1];
  if (matrix === side) return { shape, data: values };
  const taps = tapsOf(side, matrix);
  // Columns first; each pass leaves the image transposed.
  return { shape, data: passed(passed(values, side, side, taps), matrix, side, taps) };
}

/** For each new pixel the first old one that it is made of, and the weights of that and the following ones. */
type Taps = readonly { readonly first: number; readonly weights: readonly number[] }[];

function tapsOf(side: number, matrix: number): Taps {
  const scale = side / matrix;
  const isArea = Number.isInteger(scale);
  const reach = isArea ? scale / 2 : Math.max(scale, 1);
  return Array.from({ length: matrix }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.round(centre - reach));
    const last = Math.min(side, Math.round(centre + reach));
    const weights: number[] = [];
    for (let from = first; from < last; from++) {
      weights.push(isArea ? 1 : Math.max(0, 1 - Math.abs(from + 0.5 - centre) / reach));
    }
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Rows `[rows, length]` to columns of the transposed `[taps.length, rows]`. */
function passed(values: Float32Array, rows: number, length: number, taps: Taps): Float32Array {
  const output = new Float32Array(taps.length * rows);
  for (let row = 0; row < rows; row++) {
    for (let to = 0; to < taps.length; to++) {
      const { first, weights } = taps[to];
      let sum = 0;
      for (let n = 0; n < weights.length; n++) sum += weights[n] * values[row * length + first + n];
      output[to * rows + row] = sum;
    }
  }
  return output;
}
