/** The mean of the training images, whatever was measured: a negative control. */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { type Image, sizeOf } from "../core/image.ts";
import type { Learner, Method, Weights } from "../methods/method.ts";

/**
 * Answers every measurement with the mean of the training images. It knows the images and nothing of the
 * patient, so what scores below it has not used its measurement; where subjects are aligned to a template it
 * is hard to beat.
 *
 * Images of different sizes are laid on one another by their centres, and every pixel is the mean of those that have
 * it. The answer has the measurement's size: the mean's centre, with zeros around it where that is too small.
 */
export const meanImage: Method = {
  name: "mean-image",
  about: "the mean of the training images, whatever was measured: a negative control",
  source: "negative control",
  knows: { pairs: false, operator: "nothing", measurement: false },
  settings: {},
  trains: false,
  fits: true,
  effort: 0,
  prepare: () => new MeanImage(),
};

class MeanImage implements Learner {
  #mean: Image | undefined;

  get parameters(): number {
    return this.#mean?.data.length ?? 0;
  }

  macs(): number {
    return 0;
  }

  async fit(images: AsyncIterable<Image>): Promise<void> {
    let sum: Field | undefined;
    let counts: Field | undefined;
    for await (const { shape, data } of images) {
      sum = roomFor(shape, sum);
      counts = roomFor(shape, counts);
      overlay(shape, sum.shape, (from, to) => {
        sum!.data[to] += data[from];
        counts!.data[to] += 1;
      });
    }
    if (sum === undefined) {
      throw new RangeError(explain({
        what: "there is no training image to take the mean of",
        where: "mean-image",
        fix: "leave this method out with --methods, or give training images",
      }));
    }
    // A corner between a tall image and a wide one is in neither, and stays zero.
    const data = Float32Array.from(sum.data, (value, i) => value / Math.max(1, counts!.data[i]));
    this.#mean = { shape: sum.shape, data };
  }

  reconstruct(y: tf.Tensor4D): tf.Tensor4D {
    const mean = this.#mean;
    if (mean === undefined) throw new Error("mean-image reconstructs after fit()");
    const [batch, ...extents] = y.shape;
    const shape = [...extents.slice(0, -1), mean.shape[mean.shape.length - 1]];
    const data = new Float32Array(sizeOf(shape));
    overlay(mean.shape, shape, (from, to) => data[to] = mean.data[from]);
    return tf.tidy(() =>
      tf.tile(tf.tensor<tf.Rank.R4>(data, [1, ...shape] as tf.Tensor4D["shape"]), [
        batch,
        ...shape.map(() => 1),
      ])
    );
  }

  weights() {
    const { shape, data } = this.#mean ?? { shape: [0], data: new Float32Array() };
    return Promise.resolve([{ name: "mean", shape, data }]);
  }

  load([{ shape, data }]: Weights): void {
    this.#mean = { shape, data };
  }

  [Symbol.dispose](): void {}
}

/** Sums over an image or volume in float64. */
interface Field {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** The field, or its values in the centre of a larger one where an image of this shape would not fit. */
function roomFor(shape: readonly number[], field?: Field): Field {
  const channels = shape[shape.length - 1];
  const own = field?.shape ?? shape;
  if (own.length !== shape.length || own[own.length - 1] !== channels) {
    throw new RangeError(explain({
      what: `images like [${own}] and like [${shape}] have no mean`,
      where: "mean-image",
      fix: "give images of one kind, or leave this method out with --methods",
    }));
  }
  if (field !== undefined && own.every((extent, axis) => extent >= shape[axis])) return field;
  const larger = own.map((extent, axis) => Math.max(extent, shape[axis]));
  const data = new Float64Array(sizeOf(larger));
  if (field !== undefined) overlay(own, larger, (from, to) => data[to] = field.data[from]);
  return { shape: larger, data };
}

/**
 * Calls `each` with the indices of every value that two images have in common when their centres, the pixels at
 * ⌊extent / 2⌋, lie on one another.
 */
function overlay(
  from: readonly number[],
  to: readonly number[],
  each: (from: number, to: number) => void,
): void {
  const along = (axis: number, source: number, target: number): void => {
    if (axis === from.length) return each(source, target);
    const isSpace = axis < from.length - 1;
    const before = isSpace ? Math.floor(to[axis] / 2) - Math.floor(from[axis] / 2) : 0;
    for (let at = Math.max(0, -before); at < Math.min(from[axis], to[axis] - before); at++) {
      along(axis + 1, source * from[axis] + at, target * to[axis] + at + before);
    }
  };
  along(0, 0, 0);
}
