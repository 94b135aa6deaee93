/** How far a trained OT-cycleGAN is from its optimal transport problem: quantities to follow on validation data. */

import * as tf from "@tensorflow/tfjs-core";
import { l1 } from "../engine/ops.ts";
import { gradientNorms } from "./losses.ts";
import type { Batch } from "./method.ts";
import type { Network } from "./networks/network.ts";

/** Of methods that know the operator. */
type Known = { readonly pairs: boolean; readonly operator: "exactly" };

/**
 * The two terms of ℓ_cycle (000, eq. 21), E |x − G(Ax)| and E |y − A G(y)|, in the norm of the cost that is
 * trained: the mean of absolute values.
 */
export function cycleTerms(G: Network, { x, y, A, see }: Batch<Known>): Record<string, tf.Scalar> {
  return tf.tidy(() => {
    const { xBack, yBack } = around(G, { x, y, A, see });
    return { "cycle-image": l1(x, xBack), "cycle-measurement": l1(y, yBack) };
  });
}

/**
 * The certificate ½·ℓ_cycle of Proposition 3.1 (000): the primal transport cost lies within it of
 * ½(ℓ_cycle + ℓ_OT'). Its proof (eq. 24 and 25) needs |φ(x) − φ(G(Ax))| ≤ ‖x − G(Ax)‖, so the norm of the cost has
 * to be the one that φ is 1-Lipschitz in. That is the Euclidean one: a gradient penalty bounds ‖∇φ‖₂.
 *
 * - `certificate`: ½(E ‖x − G(Ax)‖₂ + E ‖y − A G(y)‖₂), the norms of whole images and measurements
 * - `certificate-mean-absolute`: the same in the norm that is trained, half the sum of {@linkcode cycleTerms}, which
 *   stand beside it: what training lowers, and no bound
 * - `critic-gradient`: the largest ‖∇φ‖₂ over the real images, the generated ones and those halfway between. Above 1
 *   the critic is not 1-Lipschitz, and the proposition does not apply.
 */
export function certificate(G: Network, φ: Network, batch: Batch<Known>): Record<string, tf.Scalar> {
  return tf.tidy(() => {
    const { x, y } = batch;
    const { fake, xBack, yBack } = around(G, batch);
    const terms = { "cycle-image": l1(x, xBack), "cycle-measurement": l1(y, yBack) };
    const between = tf.mul(tf.add(x, fake), 0.5) as tf.Tensor4D;
    const steepest = [x, fake, between].map((image) => tf.max<tf.Scalar>(gradientNorms(φ, image)));
    return {
      certificate: mean(distance(x, xBack), distance(y, yBack)),
      "certificate-mean-absolute": mean(terms["cycle-image"], terms["cycle-measurement"]),
      ...terms,
      "critic-gradient": steepest.reduce((a, b) => tf.maximum(a, b)),
    };
  });
}

function mean(a: tf.Scalar, b: tf.Scalar): tf.Scalar {
  return tf.mul(tf.add(a, b), 0.5);
}

function around(G: Network, { x, y, A, see }: Batch<Known>) {
  const fake = G.apply(see(y));
  return { fake, xBack: G.apply(see(A.forward(x))), yBack: A.forward(fake) };
}

/** The mean over the batch of ‖a − b‖₂. */
function distance(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  const squares = tf.square(tf.sub(a, b));
  return tf.mean(tf.sqrt(tf.sum(tf.reshape(squares, [a.shape[0], -1]), 1)));
}
