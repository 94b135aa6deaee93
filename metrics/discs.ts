/** The discs of a picture: found in the truth, and followed in a reconstruction that may have moved or smeared them. */

import type { Image } from "../core/image.ts";
import type { Pair } from "./scoring.ts";

/** A disc of the truth, in pixels. */
export interface Disc {
  /** Which pixels of the picture it has. */
  readonly pixels: readonly number[];
  /** Those of them whose eight neighbours are its own as well: there the truth is full. */
  readonly inside: readonly number[];
  /** √(pixels / π). */
  readonly radius: number;
  /** Of its pixels. */
  readonly middle: Point;
}

/** `[row, column]`, pixels being at whole numbers. */
export type Point = readonly [row: number, column: number];

/** How far from a true disc's edge its reconstruction is looked for, in pixels. */
export const reach = 8;

/** Pieces of the truth above half of its largest value that hang together by sides, in the order of their first pixels. */
export function discsOf({ shape: [height, width], data }: Image): Disc[] {
  const half = data.reduce((most, value) => Math.max(most, value), 0) / 2;
  const owner = new Int32Array(data.length);
  const discs: Disc[] = [];
  for (let start = 0; start < data.length; start++) {
    if (owner[start] !== 0 || !(data[start] > half)) continue;
    const name = discs.length + 1;
    const pixels = [start];
    owner[start] = name;
    for (let next = 0; next < pixels.length; next++) {
      const at = pixels[next];
      const [row, column] = [Math.floor(at / width), at % width];
      for (const [r, c] of [[row - 1, column], [row, column - 1], [row, column + 1], [row + 1, column]]) {
        const neighbour = r * width + c;
        if (r < 0 || r >= height || c < 0 || c >= width) continue;
        if (owner[neighbour] !== 0 || !(data[neighbour] > half)) continue;
        owner[neighbour] = name;
        pixels.push(neighbour);
      }
    }
    const isInside = (at: number) => {
      const [row, column] = [Math.floor(at / width), at % width];
      if (row === 0 || row === height - 1 || column === 0 || column === width - 1) return false;
      return around(width).every((step) => owner[at + step] === name);
    };
    const mean = (of: (at: number) => number) => pixels.reduce((sum, at) => sum + of(at), 0) / pixels.length;
    discs.push({
      pixels,
      inside: pixels.filter(isInside),
      radius: Math.sqrt(pixels.length / Math.PI),
      middle: [mean((at) => Math.floor(at / width)), mean((at) => at % width)],
    });
  }
  return discs;
}

const around = (width: number) => [-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1];

/** For each disc the pixels nearer to its edge than to any other's, up to {@linkcode reach}: where it is looked for. */
export function neighbourhoodsOf(discs: readonly Disc[], { shape: [height, width] }: Image): number[][] {
  const found: number[][] = discs.map(() => []);
  for (let at = 0; at < height * width; at++) {
    const distances = discs.map(({ middle: [row, column], radius }) =>
      Math.hypot(Math.floor(at / width) - row, at % width - column) - radius
    );
    const nearest = Math.min(...distances);
    if (nearest <= reach) found[distances.indexOf(nearest)].push(at);
  }
  return found;
}

/** The level of a reconstruction where the truth shows nothing: its median there; 0 where the truth fills the picture. */
export function backgroundOf({ reconstruction, truth }: Pair): number {
  const most = truth.data.reduce((most, value) => Math.max(most, value), 0);
  return median([...reconstruction.data].filter((_, at) => truth.data[at] < 0.01 * most)) ?? 0;
}

/**
 * The centroid, among `pixels`, of what exceeds half of their largest value above `background`, weighted by how much it
 * does: neither a smear's tails nor noise beside it move it. Undefined where nothing rises above `least`.
 */
export function centroidOf(
  { shape: [, width], data }: Image,
  pixels: readonly number[],
  background: number,
  least: number,
): Point | undefined {
  const peak = pixels.reduce((most, at) => Math.max(most, data[at]), -Infinity);
  if (!(peak - background > least)) return undefined;
  const half = (peak + background) / 2;
  let [mass, rows, columns] = [0, 0, 0];
  for (const at of pixels) {
    const weight = Math.max(0, data[at] - half);
    mass += weight;
    rows += weight * Math.floor(at / width);
    columns += weight * (at % width);
  }
  return [rows / mass, columns / mass];
}

/** The middle value, the mean of two for an even number; undefined for none. */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
