/** A small inverse problem of one channel, for tests of the learned primal-dual methods. */

import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { type Overrides, resolve } from "../core/settings.ts";
import type { Batch, Learner, Method } from "../methods/method.ts";
import { primalDualL2 } from "../methods/primal_dual_l2.ts";
import { primalDualSinkhorn } from "../methods/primal_dual_sinkhorn.ts";
import { primalDualSinkhornAsPublished } from "../methods/primal_dual_sinkhorn_as_published.ts";
import type { Operator } from "../physics/operator.ts";

/** Images of 6 x 8 to 4 x 5 random sums of their pixels, by an operator of norm 1 or so. */
function sums(): Operator {
  const [height, width, views, bins] = [6, 8, 4, 5];
  const rng = stream("primal-dual/sums");
  const matrix = Float32Array.from({ length: height * width * views * bins }, () => 0.09 * rng.normal());
  const A = () => tf.tensor2d(matrix, [height * width, views * bins]);
  const flat = (x: tf.Tensor) => tf.reshape<tf.Rank.R2>(x, [x.shape[0], -1]);
  return {
    name: "sums",
    settings: {},
    imageShape: [height, width, 1],
    measurementShape: [views, bins, 1],
    forward: (x) => tf.tidy(() => tf.reshape(tf.matMul(flat(x), A()), [x.shape[0], views, bins, 1])),
    adjoint: (y) =>
      tf.tidy(() => tf.reshape(tf.matMul(flat(y), A(), false, true), [y.shape[0], height, width, 1])),
  };
}

/** That of all batches. */
export const A = sums();
const { imageShape, measurementShape } = A;

/** The learned primal-dual methods. */
export const primalDualMethods: readonly Method[] = [
  primalDualL2,
  primalDualSinkhorn,
  primalDualSinkhornAsPublished,
];

/** A learner for the toy problem, with a small network. */
export function preparePrimalDual(method: Method, overrides: Overrides = {}): Learner {
  const small = { iterations: 2, copies: 2, width: 4, ...overrides };
  const problem = { imageShape, measurementShape, seenShape: imageShape, updates: 60, batch: 1 };
  return method.prepare(problem, resolve(method.settings, small, method.name), stream("primal-dual/seed"));
}

/** Batches of blobs and their exact measurements. */
export function blobs(name: string, batch = 1): () => Promise<Batch> {
  const rng = stream(`primal-dual/${name}`);
  return () => {
    const images = Array.from({ length: batch }, () => {
      const [row, column] = [1 + 4 * rng.uniform(), 1 + 6 * rng.uniform()];
      return Array.from(
        { length: 48 },
        (_, i) => Math.exp(-((Math.floor(i / 8) - row) ** 2 + (i % 8 - column) ** 2) / 3),
      );
    });
    const x = tf.tensor4d(images.flat(), [batch, 6, 8, 1]);
    return Promise.resolve({ x, y: A.forward(x) as tf.Tensor4D, A, see: (y) => A.adjoint(y) as tf.Tensor4D });
  };
}
