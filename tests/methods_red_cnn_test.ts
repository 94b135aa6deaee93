import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { fanIn, parameters } from "../methods/networks/network.ts";
import { redCnn } from "../methods/networks/red_cnn.ts";
import golden from "./golden/methods_red_cnn.json" with { type: "json" };

await startBackend();

const small = { channels: 1, filters: 2, depth: 3, initialise: fanIn() };

function sines(shape: readonly number[], factor: number, phase: number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => factor * Math.sin(0.7 * i + phase));
}

Deno.test("RED-CNN gives what PyTorch's convolutions give", () => {
  using network = redCnn(small, stream("red-cnn"));
  network.weights.forEach(({ variable }, index) => {
    const factor = variable.rank === 4 ? 0.15 : 0.1;
    variable.assign(tf.tensor(sines(variable.shape, factor, Math.floor(index / 2)), variable.shape));
  });
  const { height, width, image } = golden;
  const x = tf.tensor4d(sines([height, width], 1, 0).map((value) => 1 + value), [1, height, width, 1]);
  const made = tf.tidy(() => network.apply(x).dataSync());
  made.forEach((value, i) => ok(Math.abs(value - image[i]) < 1e-5, `${i}: ${value} for ${image[i]}`));
  x.dispose();
});

Deno.test("RED-CNN keeps the size of images, and has the weights and multiply-adds that were counted by hand", () => {
  using network = redCnn({ ...small, filters: 96, depth: 5 }, stream("red-cnn"));
  const inner = 25 * 96 * 96;
  strictEqual(parameters(network), 2 * (25 * 96 + 4 * inner) + 9 * 96 + 1);
  const products = [24, 20, 16, 12, 8].map((side, index) => side * side * (index === 0 ? 25 * 96 : inner));
  strictEqual(network.macs([28, 28, 1]), 2 * products.reduce((a, b) => a + b));
  using narrow = redCnn({ ...small, depth: 5 }, stream("red-cnn"));
  for (const [height, width] of [[21, 21], [23, 40]]) {
    deepStrictEqual(
      tf.tidy(() => narrow.apply(tf.ones([2, height, width, 1])).shape),
      [2, height, width, 1],
    );
  }
});

Deno.test("RED-CNN stays within the range of images, and refuses those that it has no room for", () => {
  using network = redCnn({ ...small, range: { low: 0, high: 1 } }, stream("red-cnn"));
  const values = tf.tidy(() => network.apply(tf.tensor4d(sines([20, 20], 9, 1), [1, 20, 20, 1])).dataSync());
  ok(Math.min(...values) === 0 && Math.max(...values) === 1);
  throws(
    () => tf.tidy(() => network.apply(tf.ones([1, 40, 12, 1]))),
    /40x12 has no room for 3 convolutions of 5x5.*at least 13x13, or --set depth=N/s,
  );
});
