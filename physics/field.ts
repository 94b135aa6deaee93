/** The field of view: what of an image its measurement shows, where light also comes from outside of it. */

import * as tf from "@tensorflow/tfjs-core";
import type { Tensor, Tensor4D } from "../engine/tensor.ts";
import type { Operator } from "./operator.ts";

/**
 * The middle of images `[batch, ...imageShape]`, as large as the measurement of an operator whose borders are valid
 * (`convolution.ts`), and where that was made. Images of other sizes, which were cut out before, stay whole. Borrows, and the
 * caller owns the result; linear.
 */
export function fieldOf(image: Tensor, { imageShape, measurementShape }: Operator): Tensor4D {
  return tf.tidy(() => {
    const shape = image.shape.slice(1);
    if (shape.some((extent, axis) => extent !== imageShape[axis])) return tf.clone(image) as Tensor4D;
    const first = shape.map((extent, axis) => Math.floor((extent - measurementShape[axis]) / 2));
    return tf.slice(image, [0, ...first], [image.shape[0], ...measurementShape]) as Tensor4D;
  });
}
