/**
 * Functions of two distances as short sums of products of functions of one, so that a convolution is a few
 * matrix products.
 */

import { EigenvalueDecomposition, Matrix } from "ml-matrix";

/** weight · profile(|Δx|) · profile(|Δy|). */
export interface Term {
  /** The eigenvalue. */
  readonly weight: number;
  /** The eigenvector: a value for each distance from 0 on. */
  readonly profile: Float64Array;
}

/** What {@linkcode lowRank} finds. */
export interface LowRank {
  /** The largest weights first. */
  readonly terms: readonly Term[];
  /** The largest difference between the function and the sum of its terms, at any two distances. */
  readonly error: number;
}

/**
 * f(a, b) ≈ Σ λᵢ eᵢ(a) eᵢ(b) for whole a and b in [0, size): the eigen-decomposition of the symmetric matrix
 * of f's values, cut after as few terms as keep every value within `tolerance`.
 *
 * @param f symmetric: f(a, b) = f(b, a)
 */
export function lowRank(f: (a: number, b: number) => number, size: number, tolerance: number): LowRank {
  const rest = Matrix.from1DArray(
    size,
    size,
    Array.from({ length: size * size }, (_, place) => f(Math.floor(place / size), place % size)),
  );
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(rest, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, index) => index)
    .sort((i, j) => Math.abs(realEigenvalues[j]) - Math.abs(realEigenvalues[i]));
  const terms: Term[] = [];
  let error = largest(rest);
  for (const index of order) {
    if (error <= tolerance) break;
    const profile = Float64Array.from(eigenvectorMatrix.getColumn(index));
    const weight = realEigenvalues[index];
    terms.push({ weight, profile });
    for (let a = 0; a < size; a++) {
      for (let b = 0; b < size; b++) rest.set(a, b, rest.get(a, b) - weight * profile[a] * profile[b]);
    }
    error = largest(rest);
  }
  return { terms, error };
}

function largest(matrix: Matrix): number {
  return Math.max(matrix.max(), -matrix.min());
}
