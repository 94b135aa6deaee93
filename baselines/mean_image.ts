/** The mean of the training images, whatever was measured: a negative control. */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { type Image, sameShape } from "../core/image.ts";
import type { Learner, Method } from "../methods/method.ts";

/**
 * Answers every measurement with the mean of the training images. It knows the images and nothing of the
 * patient, so what scores below it has not used its measurement; where subjects are aligned to a template it
 * is hard to beat.
 */
export const meanImage: Method = {
  name: "mean-image",
  about: "the mean of the training images, whatever was measured: a negative control",
  source: "negative control",
  knows: { pairs: false, operator: "nothing" },
  settings: {},
  trains: false,
  fits: true,
  effort: 0,
  prepare: (problem) => new MeanImage(problem.imageShape),
};

class MeanImage implements Learner {
  #mean: Image | undefined;

  constructor(readonly imageShape: readonly number[]) {}

  get parameters(): number {
    return this.#mean?.data.length ?? 0;
  }

  macs(): number {
    return 0;
  }

  async fit(images: AsyncIterable<Image>): Promise<void> {
    let sum: Float64Array | undefined;
    let [shape, count] = [this.imageShape, 0];
    for await (const image of images) {
      if (sum === undefined) [sum, shape] = [new Float64Array(image.data.length), image.shape];
      if (!sameShape(image.shape, shape)) refuse(shape, image.shape);
      for (let i = 0; i < sum.length; i++) sum[i] += image.data[i];
      count += 1;
    }
    if (sum === undefined) {
      throw new RangeError(explain({
        what: "there is no training image to take the mean of",
        where: "mean-image",
        fix: "leave this method out with --methods, or give training images",
      }));
    }
    this.#mean = { shape, data: Float32Array.from(sum, (value) => value / count) };
  }

  reconstruct(y: tf.Tensor4D): tf.Tensor4D {
    const mean = this.#mean;
    if (mean === undefined) throw new Error("mean-image reconstructs after fit()");
    if (!sameShape(y.shape.slice(1, 3), mean.shape.slice(0, 2))) refuse(mean.shape, y.shape.slice(1));
    return tf.tidy(() => {
      const one = tf.reshape<tf.Rank.R4>(
        tf.tensor(mean.data),
        [1, ...mean.shape] as [1, number, number, number],
      );
      return tf.tile(one, [y.shape[0], 1, 1, 1]);
    });
  }

  weights() {
    const { shape, data } = this.#mean ?? { shape: [0], data: new Float32Array() };
    return Promise.resolve([{ name: "mean", shape, data }]);
  }

  [Symbol.dispose](): void {}
}

function refuse(one: readonly number[], other: readonly number[]): never {
  throw new RangeError(explain({
    what: `images of different sizes have no mean: [${one}] and [${other}]`,
    where: "mean-image",
    fix: "bring all images to one matrix size, or leave this method out with --methods",
  }));
}
