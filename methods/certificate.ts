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
 * ½(ℓ_cycle + ℓ_OT'), provided that the critics are 1-Lipschitz in the norm of the cost.
 *
 * - `certificate`: in the norm of the cost that is trained, with the two terms of {@linkcode cycleTerms} beside it
 * - `certificate-euclidean`: in the Euclidean norm of an image, which the critics' gradients are measured in
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
      certificate: tf.mul(tf.add(terms["cycle-image"], terms["cycle-measurement"]), 0.5),
      "certificate-euclidean": tf.mul(tf.add(distance(x, xBack), distance(y, yBack)), 0.5),
      ...terms,
      "critic-gradient": steepest.reduce((a, b) => tf.maximum(a, b)),
    };
  });
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
