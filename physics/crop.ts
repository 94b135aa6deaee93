/** The centre crop as an operator: what a scanner's field of view leaves of an image. */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import type { Operator, Shape } from "./operator.ts";
import { requireBatch } from "./shapes.ts";

/**
 * The central `[height, width]` of images of `imageShape` `[rows, columns, channels]`; an odd remainder
 * leaves the extra row or column at the end, as `core/image.ts` `centreCrop`. Its adjoint pads with zeros, so
 * the crop of the adjoint is the identity.
 *
 * @throws {RangeError} where the crop is larger than the image.
 */
export function centreCropOf(imageShape: Shape, height: number, width: number): Operator {
  const [rows, columns, channels] = imageShape;
  if (!(height >= 1 && height <= rows && width >= 1 && width <= columns)) {
    throw new RangeError(explain({
      what: `the centre [${height}, ${width}] cannot be cut out of [${rows}, ${columns}]`,
      where: "crop",
      fix: "crop to at most the image's size",
    }));
  }
  const top = Math.floor((rows - height) / 2);
  const left = Math.floor((columns - width) / 2);
  const measurementShape = [height, width, channels];
  return {
    name: "centre-crop",
    settings: { imageShape, height, width },
    imageShape,
    measurementShape,
    forward(image) {
      requireBatch("centre-crop", image, imageShape);
      return tf.slice(image, [0, top, left, 0], [image.shape[0], height, width, channels]);
    },
    adjoint(measurement) {
      requireBatch("centre-crop", measurement, measurementShape);
      return tf.pad(measurement, [
        [0, 0],
        [top, rows - height - top],
        [left, columns - width - left],
        [0, 0],
      ]);
    },
  };
}
