/**
 * The Sinkhorn loss: how far the mass of one image has to be moved to make it another, with an entropy that
 * makes this quick to compute.
 *
 * **Mental model.** With unit masses p and q on the pixels and the cost c(i, j) = (‖i − j‖/s₀)² of moving
 * from one to another, the loss is
 *
 *     min over plans M of ⟨c, M⟩ + ε Σ (M ln M − M),  M having the row sums p and the column sums q
 *
 * (Cuturi 2013, arXiv:1306.0895; 003, eq. 6), a plan being u(i) K(i, j) v(j) with K = exp(−c/ε). Sinkhorn's
 * iterations divide, in turns, p by K v and q by Kᵀ u. At any time the dual problem's value, ⟨α, p⟩ + ⟨β, q⟩
 * − ε with α = ε ln u and β = ε ln v, is a lower bound of the loss, which each division raises; it is what is
 * returned.
 *
 * Its gradient is (α, β): by the envelope theorem potentials that maximise a value do not contribute to its
 * derivative. So nothing is differentiated through the iterations, which need no memory. It is exact at
 * convergence; after ten iterations at the default settings, for two discs that are out of place by half a
 * radius, it has 0.69 of its final size, at 39 degrees to its final direction
 * (`tests/methods_sinkhorn_test.ts`).
 *
 * The entropy is that of M against the counting measure, as in 003. Its minimiser over p is q blurred by a
 * Gaussian of variance ε s₀²/2, one pixel at 64 pixels and the default settings. Values can be negative, and
 * are no distances.
 *
 * **How.** K is a product of one Gaussian a direction, so K v is two products of matrices, exactly, with
 * nothing circular about it (the reference code of 003 convolves by FFT, around the edges). Both are done
 * with logarithms, whatever ε: u and v grow like exp(distance² / ε), beyond single precision.
 */

import * as tf from "@tensorflow/tfjs-core";
import { logProduct } from "../engine/ops.ts";
import type { Scalar, Tensor2D, Tensor3D, Tensor4D } from "../engine/tensor.ts";
import { distributions, type Transport } from "./transport.ts";

/**
 * The mean over the batch of the entropic transport cost from `output` to `label`, both `[n, h, w, 1]`, by
 * distance². Differentiable once in both.
 *
 * @throws {TypeError} where the images are not of one shape or have several channels.
 */
export function sinkhorn(output: Tensor4D, label: Tensor4D, set: Transport): Scalar {
  return tf.tidy(() => {
    const { output: p, label: q } = distributions(output, label, set.floor);
    return tf.sub(tf.div(dual(p, q, set), label.shape[0]), set.epsilon);
  });
}

/** ⟨α, p⟩ + ⟨β, q⟩, summed over the batch, with the gradient (α, β). */
function dual(p: Tensor3D, q: Tensor3D, set: Transport): Scalar {
  const value = tf.customGrad((...given) => {
    const [p, q, save] = given as [Tensor3D, Tensor3D, (tensors: Tensor3D[]) => void];
    const { α, β } = potentials(p, q, set);
    save([α, β]);
    return {
      value: tf.add(tf.sum(tf.mul(p, α)), tf.sum(tf.mul(q, β))),
      gradFunc: (g, saved) => (saved as Tensor3D[]).map((potential) => tf.mul(g as Scalar, potential)),
    };
  });
  return value(p, q) as Scalar;
}

/**
 * α and β after the iterations, from v = 1 on. Products leave the axes swapped, so u is `[n, w, h]` on the
 * way.
 */
function potentials(p: Tensor3D, q: Tensor3D, { reach, epsilon, sinkhornIterations }: Transport) {
  const [, height, width] = p.shape;
  const [along, across] = [width, height].map((size) => lnGaussian(size, (reach * width) ** 2 * epsilon));
  const [lnP, lnQ] = [tf.transpose(tf.log(p), [0, 2, 1]), tf.log(q)];
  let lnU = tf.zerosLike(lnP), lnV = tf.zerosLike(lnQ);
  for (let iteration = 0; iteration < sinkhornIterations; iteration++) {
    const next = tf.tidy(() => {
      const nextU = tf.sub<Tensor3D>(lnP, applied(lnV, along, across));
      return [nextU, tf.sub<Tensor3D>(lnQ, applied(nextU, across, along))];
    });
    tf.dispose([lnU, lnV]);
    [lnU, lnV] = next;
  }
  return { α: tf.mul<Tensor3D>(tf.transpose(lnU, [0, 2, 1]), epsilon), β: tf.mul<Tensor3D>(lnV, epsilon) };
}

/** ln K x from ln x: `[n, a, b]` to `[n, b, a]`. */
function applied(lnX: Tensor3D, last: Tensor2D, first: Tensor2D): Tensor3D {
  const [n, a, b] = lnX.shape;
  const once = tf.reshape(logProduct(tf.reshape(lnX, [n * a, b]), last), [n, a, b]);
  const swapped = tf.reshape<tf.Rank.R2>(tf.transpose(once, [0, 2, 1]), [n * b, a]);
  return tf.reshape(logProduct(swapped, first), [n, b, a]);
}

/** −(i − j)²/scale, `[size, size]`. */
function lnGaussian(size: number, scale: number): Tensor2D {
  const values = Float32Array.from(
    { length: size * size },
    (_, place) => -((Math.floor(place / size) - place % size) ** 2) / scale,
  );
  return tf.tensor2d(values, [size, size]);
}
