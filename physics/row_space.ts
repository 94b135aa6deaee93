/** What of an image an operator sees, and what it does not. */

import * as tf from "@tensorflow/tfjs-core";
import type { Image } from "../core/image.ts";
import type { Operator } from "./operator.ts";

/** An image as the sum of its parts in the operator's row space and in its null space. */
export interface Split {
  /** A⁺A e, the part that decides the measurement: of all images that are measured alike the smallest. */
  readonly seen: Image;
  /** e − A⁺A e, the part that the measurement does not depend on. */
  readonly unseen: Image;
}

/** When to stop. */
export interface Precision {
  /** Steps at most; one is exact where A is a projection. Default 50. */
  readonly steps?: number;
  /** Stops where ‖Aᴴ(A e − A x)‖ has fallen below this share of ‖AᴴA e‖. Default 1e-5. */
  readonly tolerance?: number;
}

// What float32 leaves of Aᴴ A e for an e that is not seen at all, relative to ‖e‖ and with ‖A‖ about 1.
const rounding = 1e-6;

/**
 * Splits an image, e.g. the error x̂ − x, into what `operator` sees of it and what it does not, by conjugate
 * gradients on AᴴA x = AᴴA e from x = 0, which converge to the solution of least norm (Hestenes & Stiefel
 * 1952). For a projection such as F⁻¹PF one step is the exact split. Where singular values fall off slowly
 * (several coils, blurs) the border between the two parts is a matter of degree, and `steps` and `tolerance`
 * say where it is drawn.
 *
 * @param image `[1, ...imageShape]`, borrowed
 */
export async function splitError(
  operator: Operator,
  image: tf.Tensor,
  { steps = 50, tolerance = 1e-5 }: Precision = {},
): Promise<Split> {
  const normal = (x: tf.Tensor): tf.Tensor => tf.tidy(() => operator.adjoint(operator.forward(x)));
  const square = async (x: tf.Tensor): Promise<number> => {
    const sum = tf.tidy(() => tf.sum(tf.square(x)));
    const [value] = await sum.data();
    sum.dispose();
    return value;
  };
  /** x + factor·y; disposes x. */
  const moved = (x: tf.Tensor, factor: number, y: tf.Tensor): tf.Tensor => {
    const next = tf.tidy(() => tf.add(x, tf.mul(y, factor)));
    x.dispose();
    return next;
  };

  let seen: tf.Tensor = tf.zerosLike(image);
  let residual = normal(image);
  let direction = tf.clone(residual);
  let size = await square(residual);
  const enough = Math.max(tolerance ** 2 * size, rounding ** 2 * await square(image));
  for (let step = 0; step < steps && size > enough; step++) {
    const measured = tf.tidy(() => operator.forward(direction));
    const along = size / await square(measured);
    const curved = tf.tidy(() => operator.adjoint(measured));
    measured.dispose();
    seen = moved(seen, along, direction);
    residual = moved(residual, -along, curved);
    const before = size;
    size = await square(residual);
    const next = tf.tidy(() => tf.add(residual, tf.mul(direction, size / before)));
    tf.dispose([curved, direction]);
    direction = next;
  }
  const unseen = tf.tidy(() => tf.sub(image, seen));
  const [seenData, unseenData] = [await seen.data(), await unseen.data()];
  tf.dispose([seen, unseen, residual, direction]);
  const shape = operator.imageShape;
  return {
    seen: { shape, data: seenData as Float32Array },
    unseen: { shape, data: unseenData as Float32Array },
  };
}
