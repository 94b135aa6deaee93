/**
 * The optimal transport loss as it was published: by Sinkhorn's iterations, with automatic differentiation
 * through all of them (003, algorithm 1 and §4).
 *
 * **The cost** is 1 − exp(−‖i − j‖⁴/s₀⁴): flat within s₀/2, and 1 from 1.5 s₀ on. The value is ⟨c, M⟩ for the
 * plan M = u K v at which the iterations stop, without the entropy.
 *
 * **ε.** The paper prints 10⁻³. With costs up to 1, exp(−c/ε) is then 0 in single precision beyond a distance
 * of 0.55 s₀ (e⁻⁸⁷ is its least normal number), and nothing further away is ever seen. The reference code
 * scales the cost to at most 0.3⁴ before it divides by 10⁻³, which is an ε of 0.12, and that is the least
 * that is allowed here, nearly. (`tests/methods_sinkhorn_test.ts` shows 10⁻³ with logarithms on small
 * images.)
 *
 * **How.** K is no product of two directions, but nearly a sum of nine such (`low_rank.ts`), so K v is two
 * products of matrices. It is not circular; the reference code's convolution by FFT is.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { recomputed } from "../engine/recompute.ts";
import type { Scalar, Tensor, Tensor2D, Tensor3D, Tensor4D } from "../engine/tensor.ts";
import { lowRank, type Term } from "./low_rank.ts";
import { distributions, type Transport } from "./transport.ts";

/** Below this, K's least value e^(−1/ε) comes near the error of its terms and of single precision. */
export const leastEpsilon = 0.1;

/** Largest error of K, whose values are up to 1, and of K ⊙ c. */
const tolerance = 1e-7;

/**
 * The mean over the batch of the transport cost from `output` to `label`, both `[n, h, w, 1]`. Differentiable
 * once in both.
 *
 * @throws {RangeError} where ε is below {@linkcode leastEpsilon}.
 * @throws {TypeError} where the images are not of one shape or have several channels.
 */
export function unrolledSinkhorn(output: Tensor4D, label: Tensor4D, set: Transport): Scalar {
  if (set.epsilon < leastEpsilon) {
    throw new RangeError(explain({
      what: `an ε of ${set.epsilon} is too small for costs up to 1 in single precision: e^(−1/ε) underflows`,
      where: "epsilon",
      fix: `give at least ${leastEpsilon}, or take the loss by distance², which computes with logarithms`,
    }));
  }
  return tf.tidy(() => {
    const { output: p, label: q } = distributions(output, label, set.floor);
    const [n, height, width] = p.shape;
    const { K, KC } = kernels(height, width, set.reach * width, set.epsilon);
    const swappedP = tf.transpose(p, [0, 2, 1]);
    let u = swappedP, v = tf.onesLike(q);
    // A product's inner results are nine times the size of an image: they are computed again rather than kept.
    const divided = (masses: Tensor3D, by: Tensor3D, { last, first }: Factors) =>
      recomputed(
        (masses, by, last, first) => tf.div<Tensor3D>(masses, applied(by, { last, first } as Factors)),
        [masses, by],
        [last, first],
      );
    for (let iteration = 0; iteration < set.sinkhornIterations; iteration++) {
      u = divided(swappedP, v, K.across);
      v = divided(q, u, K.down);
    }
    return tf.div(tf.sum(tf.mul(u, applied(v, KC.across))), n);
  });
}

/**
 * The factors of a sum of separable kernels: side by side for the last axis, one below the other for the
 * first.
 */
interface Factors {
  readonly last: Tensor2D;
  readonly first: Tensor2D;
}

/** Factors for images `[h, w]`, and for images with their axes swapped. */
interface Kernel {
  readonly across: Factors;
  readonly down: Factors;
}

/** Σ λᵢ Tᵢ X Tᵢ, `[n, a, b]` to `[n, b, a]`. */
function applied(x: Tensor, { last, first }: Factors): Tensor3D {
  const [n, a, b] = x.shape;
  const terms = last.shape[1] / b;
  const once = tf.reshape(tf.matMul(tf.reshape(x, [n * a, b]), last), [n, a, terms, b]);
  const swapped = tf.reshape(tf.transpose(once, [0, 3, 2, 1]), [n * b, terms * a]);
  return tf.reshape(tf.matMul(swapped, first), [n, b, a]);
}

/** K = exp(−c/ε), and K ⊙ c. */
function kernels(height: number, width: number, reach: number, epsilon: number): { K: Kernel; KC: Kernel } {
  const terms = termsOf(Math.max(height, width), reach, epsilon);
  const kernel = (terms: readonly Term[]): Kernel => {
    const [forRows, forColumns] = [width, height].map((size) => toeplitz(terms, size));
    return {
      across: { last: tf.concat(forRows.weighted, 1), first: tf.concat(forColumns.plain, 0) },
      down: { last: tf.concat(forColumns.weighted, 1), first: tf.concat(forRows.plain, 0) },
    };
  };
  return { K: kernel(terms.K), KC: kernel(terms.KC) };
}

/** Of each term its matrix of profile(|i − j|), `[size, size]`, times the term's weight and without. */
function toeplitz(terms: readonly Term[], size: number): { weighted: Tensor2D[]; plain: Tensor2D[] } {
  const matrix = ({ profile }: Term, factor: number) =>
    tf.tensor2d(
      Float32Array.from(
        { length: size * size },
        (_, place) => factor * profile[Math.abs(Math.floor(place / size) - place % size)],
      ),
      [size, size],
    );
  return {
    weighted: terms.map((term) => matrix(term, term.weight)),
    plain: terms.map((term) => matrix(term, 1)),
  };
}

type Terms = { readonly K: readonly Term[]; readonly KC: readonly Term[] };
const known = new Map<string, Terms>();

/** Worked out once for each size and cost: at 512 it takes a second. */
function termsOf(size: number, reach: number, epsilon: number): Terms {
  const name = [size, reach, epsilon].join(" ");
  const cost = (a: number, b: number) => -Math.expm1(-(((a * a + b * b) / reach ** 2) ** 2));
  const K = (a: number, b: number) => Math.exp(-cost(a, b) / epsilon);
  const terms = known.get(name) ?? {
    K: lowRank(K, size, tolerance).terms,
    KC: lowRank((a, b) => K(a, b) * cost(a, b), size, tolerance).terms,
  };
  known.set(name, terms);
  return terms;
}
