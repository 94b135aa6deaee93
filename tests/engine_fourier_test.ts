/** The Fourier transform along an axis: against the sum that defines it, in double precision, and its laws. */

import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { fourier, goodLength } from "../engine/fourier.ts";
import { input, Replay } from "../engine/replay.ts";

await startBackend();

function noise(name: string, shape: readonly number[]): tf.Tensor {
  const rng = stream(`engine-fourier/${name}`);
  return tf.tensor(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()), [...shape]);
}

async function far(a: tf.Tensor, b: tf.Tensor | ArrayLike<number>): Promise<number> {
  const values = await a.data<"float32">();
  const others = b instanceof tf.Tensor ? await b.data() : b;
  assert.equal(values.length, others.length);
  return values.reduce((most, value, i) => Math.max(most, Math.abs(value - others[i])), 0);
}

/** The sum, term by term. */
function definition(x: tf.Tensor, axis: number, inverse: boolean): Float64Array {
  const values = x.dataSync();
  const length = x.shape[axis];
  const inner = sizeOf(x.shape.slice(axis + 1));
  const part = values.length / 2;
  const result = new Float64Array(values.length);
  for (let at = 0; at < part; at++) {
    const k = Math.floor(at / inner) % length;
    const first = at - k * inner;
    for (let n = 0; n < length; n++) {
      const angle = (inverse ? 2 : -2) * Math.PI * ((k * n) % length) / length;
      const [re, im] = [values[first + n * inner], values[part + first + n * inner]];
      result[at] += re * Math.cos(angle) - im * Math.sin(angle);
      result[part + at] += re * Math.sin(angle) + im * Math.cos(angle);
    }
  }
  return result;
}

/** All radices and what they make together; lines next to one another, apart, and as many as do not fill the lanes. */
const cases: readonly (readonly [shape: readonly number[], axis: number])[] = [
  [[2, 5, 1], 2],
  [[2, 3, 2], 2],
  [[2, 3, 3, 7], 2],
  [[2, 4, 1], 1],
  [[2, 6, 5], 1],
  [[2, 20, 8], 2],
  [[2, 2, 9, 20], 2],
  [[2, 12, 3, 4], 1],
  [[2, 1, 16, 36], 3],
  [[2, 3, 27, 2, 2], 2],
  [[2, 17, 64], 2],
  [[2, 96, 17], 1],
  [[2, 2, 256], 2],
];

const backends = [{ name: "wasm" }, { name: "wasm", portable: true }, { name: "cpu" }];

for (const options of backends) {
  const where = `${options.name}${options.portable ? ", portable" : ""}`;
  for (const [shape, axis] of cases) {
    Deno.test(`fourier() of [${shape}] along axis ${axis} is the sum that defines it (${where})`, async () => {
      await startBackend(options);
      const x = noise("x", shape);
      for (const inverse of [false, true]) {
        const error = await far(fourier(x, axis, { inverse }), definition(x, axis, inverse));
        assert.ok(error < 1e-6 * shape[axis], `${error}`);
      }
      await startBackend();
    });
  }
}

Deno.test("fourier() there and back is the identity times the length", async () => {
  for (const [shape, axis] of cases) {
    const x = noise("x", shape);
    const back = fourier(fourier(x, axis), axis, { inverse: true });
    assert.ok(await far(tf.div(back, shape[axis]), x) < 2e-6);
  }
});

Deno.test("fourier() has the other direction as its gradient, twice", async () => {
  for (const [shape, axis] of cases.slice(0, 8)) {
    const [x, y, v] = [noise("x", shape), noise("y", shape), noise("v", shape)];
    for (const inverse of [false, true]) {
      const slope = tf.grad((x) => tf.sum(tf.mul(fourier(x, axis, { inverse }), y)));
      assert.ok(await far(slope(x), fourier(y, axis, { inverse: !inverse })) < 1e-6);
      // ½‖Fx‖² has the second derivative FᵀF, which is the length.
      const half = tf.grad((x) => tf.mul(0.5, tf.sum(tf.square(fourier(x, axis, { inverse })))));
      const curved = tf.grad((x) => tf.sum(tf.mul(half(x), v)))(x);
      assert.ok(await far(curved, tf.mul(v, shape[axis])) < 1e-5 * shape[axis]);
    }
  }
});

Deno.test("fourier() transforms a line to the same bits, whatever its neighbours", async () => {
  const x = noise("x", [2, 37, 48]);
  const all = fourier(x, 2);
  for (const line of [0, 15, 16, 36]) {
    const alone = fourier(tf.slice(x, [0, line, 0], [2, 1, 48]), 2);
    assert.equal(await far(alone, tf.slice(all, [0, line, 0], [2, 1, 48])), 0);
  }
});

Deno.test("fourier() and its gradient are replayed with the same bits", async () => {
  const y = noise("y", [2, 3, 12, 8]);
  const loss = (x: tf.Tensor) =>
    tf.sum(tf.square(tf.sub(fourier(fourier(x, 2), 3, { inverse: true }), y))) as tf.Scalar;
  using replay = new Replay("transforming");
  let x: tf.Tensor;
  for (let run = 0; run < 5; run++) {
    x = noise(`run ${run}`, y.shape);
    const replayed = replay.run([], () => tf.grad(loss)(input(() => x)));
    assert.deepEqual(await replayed.data(), await tf.grad(loss)(x).data());
  }
  assert.deepEqual(replay.counts, { tape: 0, recorded: 2, replayed: 3 });
});

Deno.test("goodLength() is the least product of twos and threes that is not below", () => {
  const products = new Set<number>();
  for (let threes = 1; threes < 4096; threes *= 3) {
    for (let twos = 1; twos * threes < 4096; twos *= 2) products.add(twos * threes);
  }
  const ascending = [...products].sort((a, b) => a - b);
  for (let length = 1; length <= 2048; length++) {
    assert.equal(goodLength(length), ascending.find((product) => product >= length));
  }
});

Deno.test("fourier() refuses what it cannot transform, and says what it can", () => {
  for (const [shape, axis] of [[[2, 5], 1], [[2, 4], 0], [[2, 4], 2], [[1, 4], 1]] as const) {
    assert.throws(() => fourier(tf.zeros([...shape]), axis), /give \[2, …\] and an axis from 1 on/);
  }
});
