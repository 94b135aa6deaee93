/** The gradient of a gradient through a whole critic, against the same critic made of stock ops that share no kernel with it. */

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import * as ops from "../engine/ops.ts";

type Shape = [number, number, number, number];
type Layer = (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D;

/** The ops of a critic, however they are made. */
interface Parts {
  strided: Layer;
  last: Layer;
  activate(x: tf.Tensor4D): tf.Tensor4D;
  normalise(x: tf.Tensor4D): tf.Tensor4D;
}

const ours: Parts = {
  strided: (x, filter) => ops.conv2d(x, filter, { stride: 2, padding: 1 }),
  last: (x, filter) => ops.conv2d(x, filter, { padding: 1 }),
  activate: (x) => ops.leakyRelu(x, 0.2),
  normalise: (x) => ops.instanceNorm(x),
};

/** A convolution as one matrix product of all patches, which are cut out by slices. */
function patchProduct(x: tf.Tensor4D, filter: tf.Tensor4D, stride: number): tf.Tensor4D {
  const [n, h, w, c] = x.shape;
  const [kh, kw, , k] = filter.shape;
  const [rows, columns] = [(h + 2 - kh) / stride + 1, (w + 2 - kw) / stride + 1];
  const padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]);
  const pixels: tf.Tensor[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const patch = tf.slice(padded, [0, row * stride, column * stride, 0], [n, kh, kw, c]);
      pixels.push(tf.reshape(patch, [n, 1, kh * kw * c]));
    }
  }
  const product = tf.matMul(
    tf.reshape(tf.concat(pixels, 1), [n * rows * columns, kh * kw * c]),
    tf.reshape(filter, [-1, k]),
  );
  return tf.reshape(product, [n, rows, columns, k]);
}

const stock: Parts = {
  strided: (x, filter) => patchProduct(x, filter, 2),
  last: (x, filter) => patchProduct(x, filter, 1),
  activate: (x) => tf.add(tf.mul(tf.relu(x), 0.8), tf.mul(x, 0.2)),
  normalise: (x) => {
    const centred = tf.sub(x, tf.mean(x, [1, 2], true));
    const variance = tf.mean(tf.square(centred), [1, 2], true);
    return tf.div(centred, tf.sqrt(tf.add(variance, 1e-5)));
  },
};

function draw(name: string, shape: Shape, scale: number): tf.Tensor4D {
  const rng = stream(`engine-gradient-penalty/${name}`);
  const size = shape.reduce((product, extent) => product * extent);
  return tf.tensor4d(Float32Array.from({ length: size }, () => scale * rng.normal()), shape);
}

/** Value of the penalty, and its gradient in each filter. */
function penaltyGradients(parts: Parts): Float32Array[] {
  return tf.tidy(() => {
    const x = draw("image", [2, 16, 12, 2], 1);
    const filters = [
      draw("0", [4, 4, 2, 6], 0.2),
      draw("1", [4, 4, 6, 9], 0.15),
      draw("2", [3, 3, 9, 1], 0.2),
    ];
    const critic = (x: tf.Tensor4D, [first, second, last]: tf.Tensor4D[]): tf.Tensor4D => {
      const shallow = parts.activate(parts.strided(x, first));
      return parts.last(parts.activate(parts.normalise(parts.strided(shallow, second))), last);
    };
    const penalty = (...filters: tf.Tensor[]): tf.Scalar => {
      const slope = tf.grad((x) => tf.sum(critic(x as tf.Tensor4D, filters as tf.Tensor4D[])))(x);
      const length = tf.sqrt(tf.sum(tf.square(slope), [1, 2, 3]));
      return tf.mean(tf.square(tf.sub(length, 1)));
    };
    const { value, grads } = tf.valueAndGrads(penalty)(filters);
    return [value, ...grads].map((tensor) => tensor.dataSync<"float32">().slice());
  });
}

for (
  const { title, options } of [
    { title: "wasm", options: { name: "wasm" } },
    { title: "wasm, portable", options: { name: "wasm", portable: true } },
    { title: "cpu", options: { name: "cpu" } },
  ]
) {
  Deno.test(`a gradient penalty has the weight gradients of a critic made of stock ops (${title})`, async () => {
    await startBackend({ name: "cpu" });
    const expected = penaltyGradients(stock);
    await startBackend(options);
    const before = tf.memory().numTensors;
    const actual = penaltyGradients(ours);
    assert.equal(tf.memory().numTensors, before, "tensors are leaked");
    actual.forEach((values, which) => {
      const scale = Math.max(...expected[which].map(Math.abs));
      assert.ok(scale > 1e-3, "the penalty does not depend on this filter");
      values.forEach((value, i) =>
        assert.ok(
          Math.abs(value - expected[which][i]) < 1e-4 * scale,
          `gradient ${which}, value ${i}: ${value}, not ${expected[which][i]} (largest ${scale})`,
        )
      );
    });
  });
}
