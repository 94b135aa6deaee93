/** A small inverse problem for tests of methods: smooth images of which the operator drops and mixes columns. */

import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { type Overrides, resolve } from "../core/settings.ts";
import type { Batch, Learner, Method, Problem } from "../methods/method.ts";
import { conv2d } from "../engine/ops.ts";
import type { Form } from "../physics/form.ts";
import type { Noise } from "../physics/noise.ts";
import type { Operator, Shape } from "../physics/operator.ts";

/** `[height, width, channels]` of its images and measurements. */
export const toyShape: Shape = [16, 16, 2];

/** A blur of 3 x 3 pixels, of each channel by itself, whose kernel may be learned; images are taken for dark around. */
export const toyForm: Form = {
  imageShape: toyShape,
  measurementShape: toyShape,
  kernelShape: [3, 3, 1],
  operator(kernel) {
    const blur = (image: tf.Tensor) =>
      tf.tidy(() => {
        const apart = tf.reshape(tf.eye(2), [1, 1, 2, 2]);
        const filter = tf.mul<tf.Tensor4D>(tf.reshape(kernel(), [3, 3, 1, 1]), apart);
        return conv2d(image as tf.Tensor4D, filter, { padding: 1 });
      });
    // Learned kernels of the suite are round: each blur is its own adjoint.
    return {
      name: "toy-blur",
      settings: {},
      imageShape: toyShape,
      measurementShape: toyShape,
      forward: blur,
      adjoint: blur,
    };
  },
};

/** Normal noise of deviation 0.1. */
export const toyNoise: Noise = {
  settings: { deviation: 0.1 },
  add: (expected, normal) => tf.tidy(() => tf.add(expected, tf.mul(normal, 0.1))),
};

/** The problem that methods are prepared for. */
export const toyProblem: Problem = {
  imageShape: toyShape,
  seenShape: toyShape,
  measurementShape: toyShape,
  form: toyForm,
  updates: 40,
  batch: 1,
};

/** Columns multiplied by 1, 0.5, 0 and 0.5 in turn: linear, its own adjoint, and without an inverse. */
export function fadingColumns(): Operator {
  const factors = Float32Array.from({ length: 16 }, (_, column) => [1, 0.5, 0, 0.5][column % 4]);
  const fade = (image: tf.Tensor) => tf.tidy(() => tf.mul(image, tf.tensor(factors, [1, 1, 16, 1])));
  return {
    name: "fading-columns",
    settings: {},
    imageShape: toyShape,
    measurementShape: toyShape,
    forward: fade,
    adjoint: fade,
  };
}

/** That of all batches. */
const operator = fadingColumns();

/** Batches of random discs, always the same for the same name; `matched` pairs x with its own measurement. */
export function toyBatches(
  name: string,
  { matched = false, batch = 1, known = true } = {},
): () => Promise<Batch> {
  const rng = stream(`toy/${name}`);
  const image = () => {
    const [height, width, channels] = toyShape;
    const [row, column, radius, phase] = [
      4 + 8 * rng.uniform(),
      4 + 8 * rng.uniform(),
      2 + 3 * rng.uniform(),
      rng.uniform(),
    ];
    return Float32Array.from({ length: height * width * channels }, (_, i) => {
      const pixel = Math.floor(i / channels);
      const distance = Math.hypot(Math.floor(pixel / width) - row, pixel % width - column);
      const modulus = 2 / (1 + Math.exp(2 * (distance - radius)));
      return modulus * (i % channels === 0 ? Math.cos(phase) : Math.sin(phase));
    });
  };
  const images = () =>
    tf.tidy(() =>
      tf.stack(Array.from({ length: batch }, () => tf.tensor3d(image(), [16, 16, 2]))) as tf.Tensor4D
    );
  return () => {
    const x = images();
    const y = tf.tidy(() => operator.forward(matched ? x : images())) as tf.Tensor4D;
    return Promise.resolve({
      x,
      y,
      A: (known ? operator : undefined) as Operator,
      form: toyForm,
      noise: toyNoise,
      see: (y) => tf.clone(y) as tf.Tensor4D,
    });
  };
}

/** Small and fast settings, as far as the method has them. */
export const small: Overrides = { width: 4, levels: 2, criticWidth: 4, criticLayers: 2 };

/** A learner for the toy problem. */
export function prepareToy(method: Method, overrides: Overrides = {}, seed = "toy seed"): Learner {
  const own = Object.entries({ ...small, filters: 4, depth: 2, ...overrides }).filter(([name]) =>
    name in method.settings
  );
  return method.prepare(
    toyProblem,
    resolve(method.settings, Object.fromEntries(own), method.name),
    stream(seed),
  );
}
