/**
 * Smooth random curves in the plane and in space, and pictures of them: what microtubules look like before a microscope.
 *
 * Lengths are pixels (voxels are cubes), with the origin at the outer corner of the first one. Curves start everywhere as
 * often, also outside the picture, so that it has as much of them at its border as in its middle, and a piece of a large
 * picture is what the same piece drawn alone is.
 */

import type { Image } from "../core/image.ts";
import type { Rng } from "../core/random.ts";

/** A curve as points a fixed step apart. */
export interface Filament {
  /** `[x, y]` or `[x, y, z]` of each point, one after the other. */
  readonly points: Float64Array;
  /** The value on its ridge, where no other curve crosses it. */
  readonly brightness: number;
}

/** Between neighbouring points of a curve; half of what the narrowest profile needs to be smooth. */
const step = 0.5;
/** The longest and the shortest curve. */
const lengths = [60, 120] as const;
/** Length of curves per pixel in the plane, and per voxel: about ten across a picture of 64², three across a cube of 24³. */
const crowding = { 2: 0.12, 3: 0.006 } as const;
/** Steepest mean slope along the optical axis, in radians: cells are flat. */
const slope = 0.4;

/** Curves in and around a box of `[height, width]` or `[depth, height, width]`. */
export function filamentsIn(extents: readonly number[], rng: Rng): Filament[] {
  const dimensions = extents.length as 2 | 3;
  const margin = lengths[1] / 2;
  const sides = extents.map((extent) => extent + 2 * margin);
  const mean = (lengths[0] + lengths[1]) / 2;
  const expected = crowding[dimensions] / mean * sides.reduce((product, side) => product * side, 1);
  const count = Math.round(expected * between(rng, 0.8, 1.2));
  return Array.from({ length: count }, () => {
    // x comes first in a point, and last in the extents.
    const middle = sides.toReversed().map((side) => side * rng.uniform() - margin);
    return { points: curveThrough(middle, rng), brightness: between(rng, 0.6, 1) };
  });
}

/** A curve whose direction turns steadily and sways to either side. */
function curveThrough(middle: readonly number[], rng: Rng): Float64Array {
  const dimensions = middle.length;
  const half = Math.round(between(rng, ...lengths) / 2 / step);
  const azimuth = swaying(rng, between(rng, 0, 2 * Math.PI), 0.5, between(rng, -0.015, 0.015));
  const elevation = dimensions === 3 ? swaying(rng, between(rng, -slope, slope), 0.2, 0) : () => 0;
  const points = new Float64Array(dimensions * (2 * half + 1));
  points.set(middle, dimensions * half);
  for (const side of [-1, 1]) {
    const place = [...middle];
    for (let n = 1; n <= half; n++) {
      // The direction in the middle of the step.
      const s = side * (n - 0.5) * step;
      const [turn, rise] = [azimuth(s), elevation(s)];
      place[0] += side * step * Math.cos(rise) * Math.cos(turn);
      place[1] += side * step * Math.cos(rise) * Math.sin(turn);
      if (dimensions === 3) place[2] += side * step * Math.sin(rise);
      points.set(place, dimensions * (half + side * n));
    }
  }
  return points;
}

/** An angle along a curve: its mean, a steady turn, and two waves of periods between 40 and 120 pixels. */
function swaying(rng: Rng, mean: number, most: number, turn: number): (s: number) => number {
  const waves = [0, 1].map(() => ({
    height: between(rng, 0, most),
    rate: 2 * Math.PI / between(rng, 40, 120),
    phase: between(rng, 0, 2 * Math.PI),
  }));
  return (s) =>
    waves.reduce(
      (sum, { height, rate, phase }) => sum + height * Math.sin(rate * s + phase),
      mean + turn * s,
    );
}

/** The part of a picture that starts at `origin` and has `extents`, both `[(depth,) height, width]`. */
export interface Part {
  readonly origin: readonly number[];
  readonly extents: readonly number[];
}

/**
 * The curves' picture, `[(depth,) height, width, 1]`: each is a ridge of Gaussian profile of `sigma` pixels, crossings add
 * up.
 */
export function pictureOf(filaments: readonly Filament[], { origin, extents }: Part, sigma: number): Image {
  const dimensions = extents.length;
  const data = new Float32Array(extents.reduce((product, extent) => product * extent, 1));
  const reach = 4 * sigma;
  // Along x, y, z; the extents end with x.
  const [firsts, sizes] = [origin.toReversed(), extents.toReversed()];
  const profiles = sizes.map(() => new Float64Array(2 * Math.ceil(reach) + 2));
  const from = [0, 0, 0];
  const count = [1, 1, 1];
  for (const { points, brightness } of filaments) {
    // ∫ exp(−s²/2σ²) ds along the curve is √(2π) σ.
    const weight = brightness * step / (Math.sqrt(2 * Math.PI) * sigma);
    for (let at = 0; at < points.length; at += dimensions) {
      let isNear = true;
      for (let axis = 0; axis < dimensions && isNear; axis++) {
        const place = points[at + axis] - firsts[axis];
        const first = Math.max(0, Math.ceil(place - reach - 0.5));
        const last = Math.min(sizes[axis] - 1, Math.floor(place + reach - 0.5));
        isNear = last >= first;
        from[axis] = first;
        count[axis] = last - first + 1;
        for (let i = first; i <= last; i++) {
          profiles[axis][i - first] = Math.exp(-((i + 0.5 - place) ** 2) / (2 * sigma ** 2));
        }
      }
      if (!isNear) continue;
      for (let k = 0; k < count[2]; k++) {
        const deep = weight * (dimensions === 3 ? profiles[2][k] : 1);
        for (let j = 0; j < count[1]; j++) {
          const down = deep * profiles[1][j];
          const row = ((from[2] + k) * sizes[1] + from[1] + j) * sizes[0] + from[0];
          for (let i = 0; i < count[0]; i++) data[row + i] += down * profiles[0][i];
        }
      }
    }
  }
  return { shape: [...extents, 1], data };
}

const between = (rng: Rng, least: number, most: number) => least + (most - least) * rng.uniform();
