/** The identity: for images that were measured as images, such as the low-dose half of a registered pair. */

import * as tf from "@tensorflow/tfjs-core";
import type { Operator, Shape } from "./operator.ts";
import { requireBatch } from "./shapes.ts";

/** A x = x on images of `shape`. */
export function identity(shape: Shape): Operator {
  const same = (x: tf.Tensor): tf.Tensor => {
    requireBatch("identity", x, shape);
    return tf.clone(x);
  };
  return {
    name: "identity",
    settings: { shape },
    imageShape: shape,
    measurementShape: shape,
    forward: same,
    adjoint: same,
    approximateInverse: same,
  };
}
