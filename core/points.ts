/** Points in a plane, such as emitters, and images of them. */

import { type Image, scaled } from "./image.ts";

/**
 * Points in nm from the outer corner of the first pixel, x along the columns and y along the rows: pixel (row, column) of
 * p nm covers [column·p, (column + 1)·p) × [row·p, (row + 1)·p).
 */
export interface Points {
  /** Across. */
  readonly xNm: Float64Array;
  /** Down, as many. */
  readonly yNm: Float64Array;
  /** How bright each is, the typical one being 1, where anybody knows it. */
  readonly brightness?: Float64Array;
}

/** The points, each moved to the right and down. */
export function shifted(points: Points, acrossNm: number, downNm = acrossNm): Points {
  return { ...points, xNm: points.xNm.map((x) => x + acrossNm), yNm: points.yNm.map((y) => y + downNm) };
}

/** Those that lie in a field of this size, whose corner is the origin. */
export function inField({ xNm, yNm, brightness }: Points, heightNm: number, widthNm: number): Points {
  const inside = (_: number, i: number) =>
    xNm[i] >= 0 && xNm[i] < widthNm && yNm[i] >= 0 && yNm[i] < heightNm;
  return {
    xNm: xNm.filter(inside),
    yNm: yNm.filter(inside),
    ...(brightness && { brightness: brightness.filter(inside) }),
  };
}

/** How points become an image. */
export interface Rendering {
  readonly height: number;
  readonly width: number;
  readonly pixelNm: number;
  /** Of the Gaussian that each point becomes; 0 counts points by pixel. */
  readonly sigmaNm: number;
}

/**
 * The density of points, `[height, width, 1]`: each gives a sum of 1, or of its weight where there are weights, as a
 * Gaussian integrated over the pixels, less what lies outside the image or beyond five sigma.
 */
export function rendered(
  { xNm, yNm }: Points,
  { height, width, pixelNm, sigmaNm }: Rendering,
  weights?: ArrayLike<number>,
): Image {
  const data = new Float32Array(height * width);
  xNm.forEach((x, i) => {
    const across = shares(x / pixelNm, sigmaNm / pixelNm, width);
    const down = shares(yNm[i] / pixelNm, sigmaNm / pixelNm, height);
    const weight = weights?.[i] ?? 1;
    down.values.forEach((share, r) => {
      const row = (down.first + r) * width + across.first;
      across.values.forEach((other, c) => data[row + c] += weight * share * other);
    });
  });
  return { shape: [height, width, 1], data };
}

/** Emitters on a grid of fine pixels, whose first pixel starts where their origin is. */
export interface EmitterGrid {
  readonly height: number;
  readonly width: number;
  readonly pixelNm: number;
}

/** Of the Gaussian that an emitter is shown as on a fine grid, in its pixels. */
export const emitterSigma = 1;

/** What an emitter of brightness 1 that is shown on a fine grid sums up to: its peak is 1 where it is centred on a pixel. */
export const emitterSum = 1 / (normalBelow(0.5 / emitterSigma) - normalBelow(-0.5 / emitterSigma)) ** 2;

/** Emitters as localisation microscopy wants to see them, `[height, width, 1]`: a spot of σ 1 pixel each, of its brightness. */
export function emitterImage(emitters: Points, { height, width, pixelNm }: EmitterGrid): Image {
  const image = rendered(
    emitters,
    { height, width, pixelNm, sigmaNm: emitterSigma * pixelNm },
    emitters.brightness,
  );
  return scaled(image, emitterSum);
}

/** What each pixel of a line holds of a Gaussian at `centre`, in pixels. */
function shares(centre: number, sigma: number, length: number): { first: number; values: Float64Array } {
  const reach = 5 * sigma;
  const first = Math.max(0, Math.floor(centre - reach));
  const last = Math.min(length - 1, Math.floor(centre + reach));
  if (last < first) return { first: 0, values: new Float64Array() };
  if (sigma === 0) return { first, values: Float64Array.of(1) };
  const below = (edge: number) => normalBelow((edge - centre) / sigma);
  const values = new Float64Array(last - first + 1);
  let before = below(first);
  for (let i = 0; i < values.length; i++) {
    const after = below(first + i + 1);
    values[i] = after - before;
    before = after;
  }
  return { first, values };
}

/**
 * The normal distribution function by its series (M. Abramowitz & I. A. Stegun, 26.2.10 and 26.2.11), to 1e-14 within the
 * five sigma that are asked for.
 */
export function normalBelow(x: number): number {
  if (Math.abs(x) > 8) return x < 0 ? 0 : 1;
  let [term, sum] = [x, x];
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= x * x / n;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}
