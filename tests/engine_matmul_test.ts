import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { Adam } from "../engine/adam.ts";

function random(name: string, shape: number[]): tf.Tensor {
  const rng = stream(`engine-matmul/${name}`);
  return tf.tensor(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()), shape);
}

Deno.test("tf.matMul on wasm has cpu's values for every transposition, ragged sizes and batches", async () => {
  const results: { [backend: string]: Float32Array[] } = {};
  for (const name of ["wasm", "cpu"]) {
    await startBackend({ name });
    results[name] = tf.tidy(() =>
      [[1, 1, 1], [3, 5, 7], [8, 16, 24], [13, 2, 33], [64, 9, 4]].flatMap(([rows, inner, columns]) =>
        [[], [1], [3], [2, 2]].flatMap((batch) =>
          [[false, false], [false, true], [true, false], [true, true]].map(([transposeA, transposeB]) => {
            const a = random("a", [...batch, ...(transposeA ? [inner, rows] : [rows, inner])]);
            const b = random("b", [...batch, ...(transposeB ? [columns, inner] : [inner, columns])]);
            const product = tf.matMul(a, b, transposeA, transposeB);
            assert.deepEqual(product.shape, [...batch, rows, columns]);
            return product.dataSync<"float32">();
          })
        )
      )
    );
  }
  results.wasm.forEach((values, which) =>
    values.forEach((value, i) =>
      assert.ok(Math.abs(value - results.cpu[which][i]) < 2e-5, `product ${which}, value ${i}: ${value}`)
    )
  );
});

Deno.test("tf.matMul sees a matrix that Adam has changed in place", async () => {
  await startBackend();
  const matrix = tf.tidy(() => tf.variable(tf.eye(8))); // nobody else holds its data, so it is written in place
  const x = random("x", [4, 8]);
  tf.tidy(() => tf.matMul(x, matrix));
  using adam = new Adam();
  adam.step([matrix], [tf.ones([8, 8])], 0.5);
  const expected = tf.tidy(() => tf.matMul(x, tf.sub(tf.eye(8), 0.5)).dataSync());
  const actual = tf.tidy(() => tf.matMul(x, matrix).dataSync());
  actual.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-4));
  tf.dispose([matrix, x]);
});
