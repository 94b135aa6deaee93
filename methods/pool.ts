/** A pool of generated images, so that a critic does not forget what the generator made some time ago. */

import * as tf from "@tensorflow/tfjs-core";
import { type Image, sameShape } from "../core/image.ts";
import type { Rng, RngState } from "../core/random.ts";

/** Everything that an {@linkcode ImagePool} remembers. */
export interface PoolState {
  /** Its images, `[1, height, width, channels]`, or volumes, with a depth before the height. */
  readonly images: readonly Image[];
  /** Where its stream is. */
  readonly rng: RngState;
}

/**
 * The history of Shrivastava et al. 2017 (arXiv:1612.07828, §2.3) in the form of Zhu et al. (arXiv:1703.10593,
 * §4): until the pool is full each image is stored and handed on; after that, with probability ½, an image
 * changes places with a random one of the pool. A pool that holds no image hands all of them on. Dispose it
 * when done.
 */
export class ImagePool implements Disposable {
  readonly #images: tf.Tensor4D[] = [];
  readonly #capacity: number;
  readonly #rng: Rng;

  /** A pool of up to `capacity` images that draws from `rng`. */
  constructor(capacity: number, rng: Rng) {
    this.#capacity = capacity;
    this.#rng = rng;
  }

  /** A batch of which some images may be older ones, of the same shape; borrows, and the caller owns the result. */
  exchange(batch: tf.Tensor4D): tf.Tensor4D {
    if (this.#capacity === 0) return tf.clone(batch);
    return tf.tidy(() => {
      const images = batch.shape[0] === 1 ? [batch] : tf.split(batch, batch.shape[0]);
      const exchanged = images.map((image) => this.#exchangeOne(image as tf.Tensor4D));
      return exchanged.length === 1 ? exchanged[0] : tf.concat(exchanged);
    });
  }

  #exchangeOne(image: tf.Tensor4D): tf.Tensor4D {
    if (this.#images.length < this.#capacity) {
      this.#images.push(tf.keep(tf.clone(image)));
      return tf.clone(image);
    }
    if (this.#rng.uniform() < 0.5) return tf.clone(image);
    const at = this.#rng.integer(this.#capacity);
    const older = this.#images[at];
    // Where sizes differ between samples, only images of one size change places.
    if (!sameShape(older.shape, image.shape)) return tf.clone(image);
    this.#images[at] = tf.keep(tf.clone(image));
    const result = tf.clone(older);
    older.dispose();
    return result;
  }

  /** A copy of what it holds, and where its stream is. */
  async state(): Promise<PoolState> {
    const images = await Promise.all(this.#images.map(async (image) => ({
      shape: image.shape,
      data: (await image.data<"float32">()).slice(),
    })));
    return { images, rng: this.#rng.state() };
  }

  /** Goes on from `state`. */
  restore({ images, rng }: PoolState): void {
    this[Symbol.dispose]();
    this.#rng.restore(rng);
    for (const { shape, data } of images) {
      this.#images.push(tf.keep(tf.tensor<tf.Rank.R4>(data, [...shape] as tf.Tensor4D["shape"])));
    }
  }

  /** Gives back all images. */
  [Symbol.dispose](): void {
    tf.dispose(this.#images);
    this.#images.length = 0;
  }
}
