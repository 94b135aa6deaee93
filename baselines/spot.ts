/**
 * What a camera's pixels hold of a point's image: a Gaussian integrated over each pixel, which along a line is a
 * difference of two values of the normal distribution function (C. S. Smith et al., Nature Methods 7, 2010, eq. 2 and 3).
 *
 * Here and in the fits, positions are in camera pixels from the outer corner of the first, and light is in counts: photons,
 * or what has their statistics (`counts.ts`).
 */

import { normalBelow } from "../core/points.ts";

/** A frame whose values are distributed as Poisson's law says, row by row. */
export interface Frame {
  /** Rows. */
  readonly height: number;
  /** Columns. */
  readonly width: number;
  /** Counts. */
  readonly data: Float64Array;
}

/** Emitters of a frame. */
export interface Spots {
  /** Across, in camera pixels. */
  readonly x: Float64Array;
  /** Down, in camera pixels. */
  readonly y: Float64Array;
  /** Counts of each. */
  readonly light: Float64Array;
}

/** The fewest counts that a pixel is taken to expect, where it is divided by them. */
export const leastExpected = 0.5;

/** The part of a Gaussian that each pixel of a line holds, near its centre. */
export class Profile {
  /** The first of the pixels. */
  first = 0;
  /** What each holds. */
  readonly share: Float64Array;
  /** How that changes as the centre moves. */
  readonly slope: Float64Array;

  /** `reach` pixels on either side of the one that holds the centre, of a Gaussian of `sigma` pixels. */
  constructor(readonly sigma: number, readonly reach: number) {
    this.share = new Float64Array(2 * reach + 1);
    this.slope = new Float64Array(2 * reach + 1);
  }

  /** Moves the centre, and the pixels with it unless the first is given. */
  moveTo(centre: number, first = Math.floor(centre) - this.reach): this {
    const { sigma, share, slope } = this;
    this.first = first;
    let z = (first - centre) / sigma;
    let [below, density] = [distribution(z), densityAt(z)];
    for (let i = 0; i < share.length; i++) {
      z = (first + i + 1 - centre) / sigma;
      const [nextBelow, nextDensity] = [distribution(z), densityAt(z)];
      share[i] = nextBelow - below;
      slope[i] = (density - nextDensity) / sigma;
      [below, density] = [nextBelow, nextDensity];
    }
    return this;
  }
}

const densityAt = (z: number) => Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);

// Between the nodes of a table the cubic through values and slopes is off by less than 2e-11.
const perUnit = 128;
const farthest = 8;
const nodes = Float64Array.from({ length: 2 * farthest * perUnit + 2 }, (_, i) => i / perUnit - farthest);
const values = nodes.map(normalBelow);
const slopes = nodes.map((z) => densityAt(z) / perUnit);

/** The normal distribution function. */
function distribution(z: number): number {
  if (z <= -farthest) return 0;
  if (z >= farthest) return 1;
  const place = (z + farthest) * perUnit;
  const i = Math.floor(place);
  const t = place - i;
  const rise = values[i + 1] - values[i];
  return values[i] + t * (slopes[i] + t * (3 * rise - 2 * slopes[i] - slopes[i + 1] +
            t * (slopes[i] + slopes[i + 1] - 2 * rise)));
}
