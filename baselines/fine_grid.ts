/** A grid finer than the camera's pixels, and what the camera sees of light at its points. */

import { type Frame, Profile } from "./spot.ts";

/** A fine grid. */
export interface FineGrid {
  /** σ of a point's image, in camera pixels. */
  readonly sigma: number;
  /** Points along a camera pixel, the first half a step from its edge. */
  readonly factor: number;
  /** Camera pixels that it reaches beyond each border of the frame. */
  readonly margin: number;
}

/** A: pixel-integrated Gaussians from the points of a grid to the camera's pixels, along one axis after the other. */
export class Blur {
  /** Points down. */
  readonly rows: number;
  /** Points across. */
  readonly columns: number;
  /** All of them. */
  readonly points: number;
  /** Their indices. */
  readonly everywhere: Int32Array;
  /** A of ones. */
  readonly ofOnes: Float64Array;
  readonly #down: Bands;
  readonly #across: Bands;
  readonly #rowOf: Int32Array;
  readonly #width: number;

  constructor({ height, width }: Frame, grid: FineGrid) {
    this.#width = width;
    this.#down = bandsOf(height, grid);
    this.#across = bandsOf(width, grid);
    this.rows = this.#down.first.length;
    this.columns = this.#across.first.length;
    this.points = this.rows * this.columns;
    this.everywhere = Int32Array.from({ length: this.points }, (_, j) => j);
    this.#rowOf = this.everywhere.map((j) => Math.floor(j / this.columns));
    this.ofOnes = new Float64Array(height * width);
    this.forward(new Float64Array(this.points).fill(1), this.everywhere, this.ofOnes);
  }

  /** A x, of those points alone. */
  forward(x: Float64Array, points: Int32Array, output: Float64Array): void {
    const width = this.#width;
    const { length, first, share, from, to } = this.#across;
    // [fine rows, camera columns]
    const between = new Float64Array(this.rows * width);
    for (let p = 0; p < points.length; p++) {
      const value = x[points[p]];
      if (value === 0) continue;
      const row = this.#rowOf[points[p]];
      const column = points[p] - row * this.columns;
      const start = row * width + first[column];
      for (let k = from[column]; k < to[column]; k++) {
        between[start + k] += value * share[column * length + k];
      }
    }
    output.fill(0);
    for (let row = 0; row < this.rows; row++) {
      const first = this.#down.first[row];
      for (let k = 0; k < this.#down.length; k++) {
        const share = this.#down.share[row * this.#down.length + k];
        if (share === 0) continue;
        const to = (first + k) * width;
        for (let c = 0; c < width; c++) output[to + c] += share * between[row * width + c];
      }
    }
  }

  /** Aᵀ y, at those points alone. */
  adjoint(y: Float64Array, points: Int32Array, output: Float64Array): void {
    this.#back(y, points, output, this.#down.share, this.#across.share);
  }

  /** (A²)ᵀ y, the squares entry by entry. */
  adjointOfSquares(y: Float64Array, output: Float64Array): void {
    this.#back(y, this.everywhere, output, this.#down.square, this.#across.square);
  }

  #back(
    y: Float64Array,
    points: Int32Array,
    output: Float64Array,
    down: Float64Array,
    across: Float64Array,
  ): void {
    const width = this.#width;
    const between = new Float64Array(this.rows * width);
    for (let row = 0; row < this.rows; row++) {
      const first = this.#down.first[row];
      for (let k = 0; k < this.#down.length; k++) {
        const share = down[row * this.#down.length + k];
        if (share === 0) continue;
        const from = (first + k) * width;
        for (let c = 0; c < width; c++) between[row * width + c] += share * y[from + c];
      }
    }
    const { length, first, from, to } = this.#across;
    for (let p = 0; p < points.length; p++) {
      const row = this.#rowOf[points[p]];
      const column = points[p] - row * this.columns;
      const start = row * width + first[column];
      let sum = 0;
      for (let k = from[column]; k < to[column]; k++) sum += across[column * length + k] * between[start + k];
      output[points[p]] = sum;
    }
  }
}

/** What the camera's pixels along a line hold of each point of the fine grid. */
interface Bands {
  readonly length: number;
  /** The first pixel within reach of each point, which need not be in the frame; those from `from` to before `to` are. */
  readonly first: Int32Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** What each holds, zero outside of the frame; and its square. */
  readonly share: Float64Array;
  readonly square: Float64Array;
}

function bandsOf(extent: number, { sigma, factor, margin }: FineGrid): Bands {
  const reach = Math.ceil(4 * sigma);
  const points = (extent + 2 * margin) * factor;
  const profile = new Profile(sigma, reach);
  const length = 2 * reach + 1;
  const [first, from, to] = [new Int32Array(points), new Int32Array(points), new Int32Array(points)];
  const share = new Float64Array(points * length);
  for (let j = 0; j < points; j++) {
    profile.moveTo((j + 0.5) / factor - margin);
    first[j] = profile.first;
    from[j] = Math.max(0, -profile.first);
    to[j] = Math.max(from[j], Math.min(length, extent - profile.first));
    for (let k = from[j]; k < to[j]; k++) share[j * length + k] = profile.share[k];
  }
  return { length, first, from, to, share, square: share.map((value) => value * value) };
}
