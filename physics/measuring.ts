/** What acquisitions have in common. */

import * as tf from "@tensorflow/tfjs-core";
import type { Image } from "../core/image.ts";
import type { Measurable } from "./acquisition.ts";

/** What an operator, or one of its relatives, makes of a single image: `f` takes a batch and returns one. */
export async function applied(f: (batch: tf.Tensor) => tf.Tensor, { shape, data }: Image): Promise<Image> {
  const result = tf.tidy(() => f(tf.tensor(data, [1, ...shape])));
  const values = (await result.data()) as Float32Array;
  result.dispose();
  return { shape: result.shape.slice(1), data: values };
}

/** Where a sample is, as errors say it. */
export function placeOf({ subject, id }: Pick<Measurable, "subject" | "id">): string {
  return `subject "${subject}", sample "${id}"`;
}
