import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { ImagePool } from "../methods/pool.ts";

await startBackend();

/** Puts images 0, 1, 2, … into the pool and says which came out. */
function exchanged(pool: ImagePool, count: number): number[] {
  return Array.from(
    { length: count },
    (_, i) => tf.tidy(() => pool.exchange(tf.fill<tf.Rank.R4>([1, 2, 2, 1], i)).dataSync()[0]),
  );
}

Deno.test("a pool hands on every image until it is full", () => {
  using pool = new ImagePool(20, stream("pool"));
  deepStrictEqual(exchanged(pool, 20), Array.from({ length: 20 }, (_, i) => i));
});

Deno.test("a full pool exchanges half of the images for older ones", () => {
  using pool = new ImagePool(10, stream("pool"));
  const out = exchanged(pool, 2010).slice(10);
  const kept = out.filter((image, i) => image === i + 10).length;
  // 2000 fair coins: five standard deviations are 112.
  ok(Math.abs(kept - 1000) < 112, `${kept} of 2000 kept`);
  ok(out.every((image, i) => image <= i + 10));
});

Deno.test("an older image leaves the pool when it comes out", () => {
  using pool = new ImagePool(10, stream("pool"));
  const older = exchanged(pool, 500).filter((image, i) => image !== i);
  strictEqual(new Set(older).size, older.length);
});

Deno.test("a pool of a stream of the same name does the same", () => {
  using a = new ImagePool(5, stream("pool"));
  using b = new ImagePool(5, stream("pool"));
  using c = new ImagePool(5, stream("another pool"));
  const out = exchanged(a, 100);
  deepStrictEqual(exchanged(b, 100), out);
  ok(exchanged(c, 100).some((image, i) => image !== out[i]));
});

Deno.test("a pool of none hands on what it is given", () => {
  using pool = new ImagePool(0, stream("pool"));
  deepStrictEqual(exchanged(pool, 3), [0, 1, 2]);
});

Deno.test("a pool exchanges the images of a batch one by one, and images of another size not at all", () => {
  using pool = new ImagePool(3, stream("pool"));
  tf.tidy(() => {
    const batch = (from: number, size: number) =>
      tf.tile(tf.tensor4d([from, from + 1, from + 2], [3, 1, 1, 1]), [1, size, size, 1]) as tf.Tensor4D;
    pool.exchange(batch(0, 2));
    const images = (batch: tf.Tensor4D) => tf.unstack(batch).map((image) => image.dataSync()[0]);
    const outs = Array.from({ length: 20 }, (_, i) => images(pool.exchange(batch(10 * (i + 1), 2))));
    ok(
      outs.some((out, i) =>
        out.some((image) => image < 10 * (i + 1)) && out.some((image) => image >= 10 * (i + 1))
      ),
    );
    for (let i = 0; i < 20; i++) deepStrictEqual(images(pool.exchange(batch(1000, 4))), [1000, 1001, 1002]);
  });
});

Deno.test("a pool keeps no more than it holds, and gives everything back", () => {
  const before = tf.memory().numTensors;
  {
    using pool = new ImagePool(7, stream("pool"));
    exchanged(pool, 100);
    strictEqual(tf.memory().numTensors, before + 7);
  }
  strictEqual(tf.memory().numTensors, before);
});
