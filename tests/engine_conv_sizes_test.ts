/** Convolutions of the sizes that networks have, Winograd's among them: wasm against the composition on cpu, two derivatives deep. */

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { conv2d, type Convolution } from "../engine/ops.ts";

type Shape = [number, number, number, number];

const cases: { image: Shape; filter: Shape; options: Convolution }[] = [
  { image: [1, 32, 32, 8], filter: [3, 3, 8, 8], options: { padding: 1 } },
  { image: [2, 17, 13, 8], filter: [3, 3, 8, 16], options: { padding: 1 } },
  { image: [1, 16, 16, 24], filter: [3, 3, 24, 8], options: { padding: 1 } },
  { image: [1, 8, 8, 32], filter: [3, 3, 32, 32], options: { padding: 1 } },
  { image: [1, 20, 20, 8], filter: [3, 3, 8, 8], options: {} },
  { image: [1, 16, 24, 2], filter: [3, 3, 2, 8], options: { padding: 1 } },
  { image: [3, 9, 11, 5], filter: [3, 3, 5, 7], options: { padding: 1 } },
  { image: [1, 16, 16, 16], filter: [4, 4, 16, 32], options: { stride: 2, padding: 1 } },
  { image: [2, 16, 24, 4], filter: [4, 4, 4, 8], options: { stride: 2, padding: 1 } },
  { image: [2, 15, 18, 3], filter: [4, 4, 3, 16], options: { stride: 2, padding: 1 } },
  { image: [1, 24, 24, 8], filter: [1, 1, 8, 2], options: {} },
  { image: [1, 12, 12, 4], filter: [7, 7, 4, 8], options: { padding: 3 } },
];

function draw(name: string, shape: number[]): tf.Tensor {
  const rng = stream(`engine-conv-sizes/${name}`);
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => rng.normal()), shape);
}

/** The output, the gradients of a curved function of it, and the gradients of those along a direction. */
function derivatives(image: Shape, filter: Shape, options: Convolution): Float32Array[] {
  return tf.tidy(() => {
    const inputs = [draw("image", image), draw("filter", filter)];
    const along = [draw("along image", image), draw("along filter", filter)];
    const convolve = (x: tf.Tensor, f: tf.Tensor) => conv2d(x as tf.Tensor4D, f as tf.Tensor4D, options);
    const output = convolve(inputs[0], inputs[1]);
    const weights = draw("weights", output.shape);
    const curved = (...xs: tf.Tensor[]) =>
      tf.sum(tf.mul(weights, tf.square(convolve(xs[0], xs[1])))) as tf.Scalar;
    const slope = (...xs: tf.Tensor[]) =>
      tf.addN(tf.grads(curved)(xs).map((g, i) => tf.sum(tf.mul(g, along[i])))) as tf.Scalar;
    return [output, ...tf.grads(curved)(inputs), ...tf.grads(slope)(inputs)]
      .map((tensor) => tensor.dataSync<"float32">().slice());
  });
}

const parts = ["output", "gradient in x", "gradient in the filter", "second in x", "second in the filter"];

for (const { image, filter, options } of cases) {
  const title = `[${image}] with [${filter}], ${JSON.stringify(options)}`;
  Deno.test(`conv2d() of ${title} has cpu's values and two derivatives, in both arithmetic classes`, async () => {
    await startBackend({ name: "cpu" });
    const expected = derivatives(image, filter, options);
    for (const portable of [false, true]) {
      await startBackend({ portable });
      derivatives(image, filter, options).forEach((values, which) => {
        const scale = expected[which].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const error = values.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - expected[which][i])),
          0,
        );
        assert.ok(error < 5e-5 * scale, `${parts[which]}: off by ${error / scale} of the maximum`);
      });
    }
  });
}
