/**
 * Ellipses with values that add up: their picture, and their line integrals without any picture in between.
 *
 * The field is [−1, 1]², x to the right and y up, so that row 0 of an image is at the top. What is measured from the
 * formula and shown as pixels differ as an object and its picture do: no reconstruction is handed the very model that
 * made its data (the "inverse crime").
 */

import { explain } from "../core/errors.ts";
import type { Image } from "../core/image.ts";

/** An ellipse, its lengths in half-widths of the field. */
export interface Ellipse {
  /** Centre, to the right. */
  readonly x: number;
  /** Centre, up. */
  readonly y: number;
  /** Half-axis along `tilt`. */
  readonly a: number;
  /** Half-axis across `tilt`. */
  readonly b: number;
  /** Angle from the x axis to `a`, in radians, anticlockwise. */
  readonly tilt: number;
  /** What it adds wherever it is. */
  readonly value: number;
}

/** Lines through a row of pixels, along which areas are summed: right to 0.3 % of a value even for slivers. */
const linesPerRow = 64;

/**
 * The ellipses as an image `[matrix, matrix, 1]`, each pixel the mean of their sum over its area: exact along rows,
 * a sum of 64 lines across each.
 */
export function rasterOf(ellipses: readonly Ellipse[], matrix: number): Image {
  requireSizes("rasterOf", { matrix });
  const means = new Float64Array(matrix * matrix);
  const columnAt = (x: number) => Math.min(matrix, Math.max(0, (x + 1) * matrix / 2));
  const rowAt = (y: number) => Math.min(matrix, Math.max(0, (1 - y) * matrix / 2));
  for (const { x, y, a, b, tilt, value } of ellipses) {
    const [cos, sin] = [Math.cos(tilt), Math.sin(tilt)];
    // Its chord at height dy above its centre has its middle at slope·dy and the half-length width·√(1 − (dy/reach)²).
    const reach = Math.hypot(a * sin, b * cos);
    const slope = (a * a - b * b) * sin * cos / reach ** 2;
    const width = a * b / reach;
    const [top, bottom] = [rowAt(y + reach), rowAt(y - reach)];
    for (let row = Math.floor(top); row < bottom; row++) {
      // Lines only where the ellipse is, so that the height of its part of the row is exact.
      const [from, to] = [Math.max(row, top), Math.min(row + 1, bottom)];
      const pixels = means.subarray(row * matrix, (row + 1) * matrix);
      for (let line = 0; line < linesPerRow; line++) {
        const dy = 1 - 2 * (from + (to - from) * (line + 0.5) / linesPerRow) / matrix - y;
        const middle = x + slope * dy;
        const half = width * Math.sqrt(Math.max(0, 1 - (dy / reach) ** 2));
        fill(pixels, columnAt(middle - half), columnAt(middle + half), value * (to - from) / linesPerRow);
      }
    }
  }
  return { shape: [matrix, matrix, 1], data: Float32Array.from(means) };
}

/** Adds `value` to the pixels between two positions, and its share to those that are covered in part. */
function fill(line: Float64Array, from: number, to: number, value: number): void {
  for (let at = Math.floor(from); at < to; at++) {
    line[at] += value * (Math.min(at + 1, to) - Math.max(at, from));
  }
}

/** Parallel lines from many sides. */
export interface DetectorViews {
  /** Angles θ_j = jπ/views of the normals of the lines. */
  readonly views: number;
  /** Bins of the detector. */
  readonly bins: number;
  /** Half the detector's width: bin k has its centre at −span + (2k + 1)·span/bins. */
  readonly span: number;
}

/**
 * Line integrals of the ellipses, `[views, bins, 1]`, in the unit of their values times half-widths of the field: view
 * j and bin k hold the mean over the bin's width of ∫ along x cosθ_j + y sinθ_j = t, as a detector's element sees it.
 * Exact, by the antiderivative of a chord's length, so that every view that the detector covers has the same sum.
 */
export function sinogramOf(ellipses: readonly Ellipse[], { views, bins, span }: DetectorViews): Image {
  requireSizes("sinogramOf", { views, bins });
  if (!(span > 0 && Number.isFinite(span))) {
    throw new RangeError(explain({
      what: `a detector cannot span ${span}`,
      where: "sinogramOf",
      fix: "give half its width in half-widths of the field: 1 covers the circle, √2 the square",
    }));
  }
  const width = 2 * span / bins;
  const data = new Float64Array(views * bins);
  for (const { x, y, a, b, tilt, value } of ellipses) {
    for (let view = 0; view < views; view++) {
      const theta = view * Math.PI / views;
      const centre = x * Math.cos(theta) + y * Math.sin(theta);
      const reach = Math.hypot(a * Math.cos(theta - tilt), b * Math.sin(theta - tilt));
      const first = Math.max(0, Math.floor((centre - reach + span) / width));
      const end = Math.min(bins, Math.ceil((centre + reach + span) / width));
      let below = areaBelow((first * width - span - centre) / reach);
      for (let bin = first; bin < end; bin++) {
        const above = areaBelow(((bin + 1) * width - span - centre) / reach);
        data[view * bins + bin] += value * a * b * (above - below) / width;
        below = above;
      }
    }
  }
  return { shape: [views, bins, 1], data: Float32Array.from(data) };
}

/** Area of the unit disc between its middle and the line at `t`, negative on the other side. */
function areaBelow(t: number): number {
  const at = Math.min(1, Math.max(-1, t));
  return at * Math.sqrt(1 - at * at) + Math.asin(at);
}

function requireSizes(where: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isInteger(size) && size >= 1) continue;
    throw new RangeError(explain({
      what: `${name} cannot be ${size}`,
      where,
      fix: "give a whole number of at least 1",
    }));
  }
}
