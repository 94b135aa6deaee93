import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";

const shapes: [number[], number[]][] = [
  [[], []],
  [[1], [1]],
  [[3, 5], [3, 5]],
  [[67], [67]],
  [[4, 4, 4], []],
  [[], [37]],
  [[2, 9], [1, 1]],
  [[1, 1, 1], [2, 3]], // more axes than the other: the result has them too
  [[5], [1, 1]],
  [[2, 3], [3]],
  [[2, 1, 4], [3, 1]],
  [[0, 3], [0, 3]],
  [[0, 3], []],
];

Deno.test("tf.add, tf.sub and tf.mul on wasm have cpu's values and shapes, whatever is broadcast", async () => {
  const results: { [backend: string]: [number[], Float32Array][] } = {};
  for (const name of ["wasm", "cpu"]) {
    await startBackend({ name });
    results[name] = tf.tidy(() =>
      shapes.flatMap((pair) => {
        const [a, b] = pair.map((shape, i) => {
          const rng = stream(`engine-arithmetic/${i}`);
          return tf.tensor(
            Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => rng.normal()),
            shape,
          );
        });
        return [tf.add, tf.sub, tf.mul].map((op): [number[], Float32Array] => {
          const out = op(a, b) as tf.Tensor;
          return [out.shape, out.dataSync<"float32">().slice()];
        });
      })
    );
  }
  assert.deepEqual(results.wasm, results.cpu);
});

Deno.test("tf.add, tf.sub and tf.mul on wasm leave whole numbers whole", async () => {
  await startBackend();
  tf.tidy(() => {
    const [a, b] = [tf.tensor1d([2 ** 24 + 1, 3], "int32"), tf.tensor1d([1, 5], "int32")];
    assert.deepEqual([...tf.add(a, b).dataSync()], [2 ** 24 + 2, 8]);
    assert.deepEqual([...tf.sub(a, b).dataSync()], [2 ** 24, -2]);
    assert.deepEqual([...tf.mul(a, b).dataSync()], [2 ** 24 + 1, 15]);
  });
});
