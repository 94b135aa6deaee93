/** Emitters in a sharp image: its local maxima, each at the centroid of what surrounds it. */

import type { Points } from "../core/points.ts";
import type { Image } from "../core/image.ts";

/** What counts as an emitter. */
export interface LocalMaximaOptions {
  /** Size of a pixel of the image. */
  readonly pixelNm: number;
  /** The least light of an emitter, summed over the maximum and its eight neighbours, in the image's units. */
  readonly threshold: number;
}

/**
 * The local maxima of an image `[height, width, 1]`: pixels that no neighbour of the eight exceeds, whose light is at least
 * the threshold. Of equal neighbours the first counts. Each point is the centroid of the three by three pixels, of which
 * nothing below zero counts; at the image's border, of those that are there.
 */
export function localMaxima(image: Image, { pixelNm, threshold }: LocalMaximaOptions): Points {
  const { x, y } = maximaOf(image, threshold);
  return { xNm: x.map((value) => value * pixelNm), yNm: y.map((value) => value * pixelNm) };
}

/** As {@linkcode localMaxima}, in pixels from the outer corner of the first, with the light of each. */
export function maximaOf(
  { shape: [height, width], data }: { readonly shape: readonly number[]; readonly data: ArrayLike<number> },
  threshold: number,
): { x: Float64Array; y: Float64Array; light: Float64Array } {
  const [x, y, light]: number[][] = [[], [], []];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = data[row * width + column];
      if (!(value > 0)) continue;
      let [sum, sumX, sumY] = [0, 0, 0];
      let isLargest = true;
      for (let r = Math.max(0, row - 1); r <= row + 1 && r < height; r++) {
        for (let c = Math.max(0, column - 1); c <= column + 1 && c < width; c++) {
          const other = data[r * width + c];
          const isBefore = r < row || (r === row && c < column);
          if (other > value || (isBefore && other === value)) isLargest = false;
          if (other > 0) sum += other, sumX += other * (c + 0.5), sumY += other * (r + 0.5);
        }
      }
      if (!isLargest || !(sum >= threshold)) continue;
      x.push(sumX / sum), y.push(sumY / sum), light.push(sum);
    }
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y), light: Float64Array.from(light) };
}
