/**
 * Spectral normalisation (Miyato et al. 2018, arXiv:1802.05957): each filter, seen as a matrix W that maps a
 * patch `[kh·kw·in]` to its `[out]` channels, is divided by its largest singular value σ(W).
 *
 * σ(W) = ‖W u‖ with u the leading singular vector on the side of the outputs. u follows W by one power
 * iteration whenever the weights have moved. In a loss u is a constant, and then the derivative of ‖W u‖ is
 * that of eq. 9-10 there.
 *
 * This bounds the matrices and not the convolutions: overlapping patches let a layer's Lipschitz constant be up
 * to √(kh·kw)/stride times larger, so a network of such layers is Lipschitz with a constant that may exceed 1.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Rng } from "../../core/random.ts";
import { assign } from "../../engine/assign.ts";
import { newVariable, type Weight } from "./network.ts";
import type { Scalar, Tensor, Tensor2D, Tensor4D } from "../../engine/tensor.ts";

/** The largest singular values of a network's filters, kept up to date by power iteration. */
export interface SpectralNorm {
  /** The singular vectors, one a filter. */
  readonly state: readonly Weight[];
  /** The filter divided by its largest singular value; the caller owns it. */
  divide(filter: Tensor4D): Tensor4D;
  /** One power iteration for each filter. */
  settle(): void;
}

/** Power iterations before the first use: σ is then within about a percent for random filters. */
const firstIterations = 20;

/** Follows the spectral norms of these filters, starting from random vectors. */
export function spectralNorm(filters: readonly Weight[], rng: Rng): SpectralNorm {
  const vectors = new Map(filters.map(({ name, variable }) => {
    const outputs = variable.shape[variable.rank - 1];
    const stream = rng.stream(name);
    const start = tf.tensor2d(Float32Array.from({ length: outputs }, () => stream.normal()), [outputs, 1]);
    return [variable as Tensor, { name: `${name}/singular-vector`, variable: newVariable(start) }];
  }));

  const settle = () => {
    for (const [filter, { variable }] of vectors) {
      tf.tidy(() => {
        const matrix = asMatrix(filter);
        const next = tf.matMul(matrix, tf.matMul(matrix, variable as Tensor2D), true);
        assign(variable, tf.div(next, tf.add(length(next), 1e-12)));
      });
    }
  };
  for (let i = 0; i < firstIterations; i++) settle();

  return {
    state: [...vectors.values()].map((vector) => ({ ...vector, trained: false })),
    divide: (filter) =>
      tf.tidy(() => {
        const vector = vectors.get(filter)!.variable as Tensor2D;
        return tf.div(filter, length(tf.matMul(asMatrix(filter), vector)));
      }),
    settle,
  };
}

function asMatrix(filter: Tensor): Tensor2D {
  return tf.reshape(filter, [-1, filter.shape[filter.rank - 1]]);
}

function length(vector: Tensor): Scalar {
  return tf.sqrt(tf.sum(tf.square(vector)));
}
