/** How far a trained OT-cycleGAN is from its optimal transport problem: quantities to follow on validation data. */

import * as tf from "@tensorflow/tfjs-core";
import { l1 } from "../engine/ops.ts";
import type { Operator } from "../physics/operator.ts";
import { gradientNorms, inField } from "./losses.ts";
import type { Batch } from "./method.ts";
import type { Network } from "./networks/network.ts";
import { measuredWithNoise } from "./noisy_measurements.ts";
import type { Material } from "./training.ts";

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
    return bound([[x, xBack], [y, yBack]], [[φ, x, fake]]);
  });
}

/**
 * {@linkcode certificate} where measurements have noise, and there may be a critic of them: ½(E ‖x − G(Ax + n)‖₂ +
 * E ‖y − A G(y)‖₂), and the steeper of the critics. Expectations go over n as well.
 */
export function noisyCertificate(
  { G, φ, ψ }: { readonly G: Network; readonly φ: Network; readonly ψ?: Network },
  A: Operator,
  batch: Material,
): Record<string, tf.Scalar> {
  return tf.tidy(() => {
    const { y, see } = batch;
    const [fakeX, fakeY] = [G.apply(see(y)), measuredWithNoise(A, batch)];
    const [x, xBack, fake] = [batch.x, G.apply(see(fakeY)), fakeX].map((image) => inField(batch, image));
    return bound(
      [[x, xBack], [y, A.forward(fakeX)]],
      [[φ, x, fake], ...ψ === undefined ? [] : [[ψ, y, fakeY] as const]],
    );
  });
}

/**
 * {@linkcode certificate} where F is learned, too: ½(E ‖x − G(F(x))‖₂ + E ‖y − F(G(y))‖₂), and the steeper of the two
 * critics. Where F is random, expectations go over its noise as well: for each of its values F is a map like any other, and
 * the proposition's inequalities (eq. 24 and 25) hold.
 */
export function twoWayCertificate(
  { G, F, φ, ψ }: {
    readonly G: Network;
    readonly F: (x: tf.Tensor4D) => tf.Tensor4D;
    readonly φ: Network;
    readonly ψ: Network;
  },
  { x, y, see }: Batch,
): Record<string, tf.Scalar> {
  return tf.tidy(() => {
    const seen = see(y);
    const [fakeX, fakeY] = [G.apply(seen), F(x)];
    return bound([[x, G.apply(fakeY)], [seen, F(fakeX)]], [[φ, x, fakeX], [ψ, seen, fakeY]]);
  });
}

/** The quantities of a certificate, from what went around the cycle and what the critics compare. */
function bound(
  [[x, xBack], [y, yBack]]: readonly (readonly [tf.Tensor, tf.Tensor])[],
  critics: readonly (readonly [critic: Network, real: tf.Tensor4D, fake: tf.Tensor4D])[],
): Record<string, tf.Scalar> {
  const terms = { "cycle-image": l1(x, xBack), "cycle-measurement": l1(y, yBack) };
  const steepest = critics.flatMap(([critic, real, fake]) => {
    const between = tf.mul(tf.add(real, fake), 0.5) as tf.Tensor4D;
    return [real, fake, between].map((image) => tf.max<tf.Scalar>(gradientNorms(critic, image)));
  });
  return {
    certificate: mean(distance(x, xBack), distance(y, yBack)),
    "certificate-mean-absolute": mean(terms["cycle-image"], terms["cycle-measurement"]),
    ...terms,
    "critic-gradient": steepest.reduce((a, b) => tf.maximum(a, b)),
  };
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
