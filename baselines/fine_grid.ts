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
  readonly #height: number;
  readonly #width: number;

  constructor({ height, width }: Frame, grid: FineGrid) {
    this.#height = height;
    this.#width = width;
    this.#down = bandsOf(height, grid);
    this.#across = bandsOf(width, grid);
    this.rows = this.#down.first.length;
    this.columns = this.#across.first.length;
    this.points = this.rows * this.columns;
    this.everywhere = Int32Array.from({ length: this.points }, (_, j) => j);
    this.ofOnes = new Float64Array(height * width);
    this.forward(new Float64Array(this.points).fill(1), this.everywhere, this.ofOnes);
  }

  /** A x, of those points alone. */
  forward(x: Float64Array, points: Int32Array, output: Float64Array): void {
    const [width, length] = [this.#width, this.#across.length];
    // [fine rows, camera columns]
    const between = new Float64Array(this.rows * width);
    for (const j of points) {
      const value = x[j];
      if (value === 0) continue;
      const row = Math.floor(j / this.columns);
      const column = j - row * this.columns;
      const first = this.#across.first[column];
      for (let k = 0; k < length; k++) {
        const share = this.#across.share[column * length + k];
        if (share !== 0) between[row * width + first + k] += value * share;
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
    this.#back(y, points, output, (share) => share);
  }

  /** (A²)ᵀ y, the squares entry by entry. */
  adjointOfSquares(y: Float64Array, output: Float64Array): void {
    this.#back(y, this.everywhere, output, (share) => share * share);
  }

  #back(y: Float64Array, points: Int32Array, output: Float64Array, of: (share: number) => number): void {
    const [width, length] = [this.#width, this.#across.length];
    const between = new Float64Array(this.rows * width);
    for (let row = 0; row < this.rows; row++) {
      const first = this.#down.first[row];
      for (let k = 0; k < this.#down.length; k++) {
        const share = of(this.#down.share[row * this.#down.length + k]);
        if (share === 0) continue;
        const from = (first + k) * width;
        for (let c = 0; c < width; c++) between[row * width + c] += share * y[from + c];
      }
    }
    const shares = this.#across.share.map(of);
    for (const j of points) {
      const row = Math.floor(j / this.columns);
      const column = j - row * this.columns;
      const from = row * width + this.#across.first[column];
      let sum = 0;
      for (let k = 0; k < length; k++) {
        const share = shares[column * length + k];
        if (share !== 0) sum += share * between[from + k];
      }
      output[j] = sum;
    }
  }
}

/** What the camera's pixels along a line hold of each point of the fine grid. */
interface Bands {
  readonly length: number;
  readonly first: Int32Array;
  readonly share: Float64Array;
}

function bandsOf(extent: number, { sigma, factor, margin }: FineGrid): Bands {
  const reach = Math.ceil(4 * sigma);
  const points = (extent + 2 * margin) * factor;
  const profile = new Profile(sigma, reach);
  const length = 2 * reach + 1;
  const first = new Int32Array(points);
  const share = new Float64Array(points * length);
  for (let j = 0; j < points; j++) {
    profile.moveTo((j + 0.5) / factor - margin);
    first[j] = profile.first;
    for (let k = 0; k < length; k++) {
      const pixel = profile.first + k;
      if (pixel >= 0 && pixel < extent) share[j * length + k] = profile.share[k];
    }
  }
  return { length, first, share };
}
