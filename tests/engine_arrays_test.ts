import { deepStrictEqual, ok, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import "../engine/ops.ts";
import { Replay } from "../engine/replay.ts";

type Compute = (...tensors: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

function random(name: string, shape: readonly number[]): tf.Tensor {
  const rng = stream(`engine-arrays/${name}`);
  return tf.tensor(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()), [...shape]);
}

/** Shapes and values of what each computation makes on a backend; on wasm only by kernels that can be replayed. */
async function results(backend: string, shapes: readonly number[][], computations: readonly Compute[]) {
  await startBackend({ name: backend });
  return computations.map((compute) => {
    const inputs = shapes.map((shape, index) => random(String(index), shape));
    const made: { shape: number[]; values: Float32Array }[] = [];
    using replay = new Replay("arrays");
    let outputs: tf.Tensor[] = [];
    // Running it through a replay refuses stock kernels.
    replay.run([], () => {
      outputs = [compute(...inputs)].flat().map((tensor) => tf.keep(tensor));
      return tf.scalar(0);
    }).dispose();
    for (const tensor of outputs) made.push({ shape: tensor.shape, values: tensor.dataSync<"float32">() });
    tf.dispose([...inputs, ...outputs]);
    return made;
  });
}

/** Holds wasm to cpu, values apart by at most `tolerance`. */
async function agree(
  title: string,
  shapes: readonly number[][],
  computations: readonly Compute[],
  tolerance = 0,
) {
  const expected = await results("cpu", shapes, computations);
  const actual = await results("wasm", shapes, computations);
  actual.forEach((made, which) => {
    const where = `${title}, [${shapes.join("] [")}], computation ${which}`;
    deepStrictEqual(made.map(({ shape }) => shape), expected[which].map(({ shape }) => shape), where);
    made.forEach(({ values }, part) =>
      values.forEach((value, i) => {
        const right = expected[which][part].values[i];
        ok(
          Object.is(value, right) || Math.abs(value - right) <= tolerance,
          `${where}: ${value} for ${right}`,
        );
      })
    );
  });
}

Deno.test("functions of two values broadcast as on cpu", async () => {
  const computations: Compute[] = [
    tf.add,
    tf.sub,
    tf.mul,
    tf.div,
    tf.maximum,
    tf.minimum,
    tf.squaredDifference,
  ];
  const pairs = [
    [[5, 7], [5, 7]],
    [[3, 4, 5, 2], []],
    [[1], [2, 3]],
    [[2, 3, 4, 5], [2, 1, 1, 1]],
    [[4, 1], [1, 9]],
    [[2, 1, 3, 1, 2, 2], [5, 1, 4, 1, 1]],
    [[], []],
    [[1, 1, 33], [33]],
  ];
  for (const shapes of pairs) {
    await agree("two values", shapes, computations, 1e-6);
    await agree("two values", shapes.toReversed(), computations, 1e-6);
  }
});

Deno.test("functions of one value are those of cpu", async () => {
  const computations: Compute[] = [
    tf.neg,
    tf.square,
    (x) => tf.sqrt(tf.abs(x)),
    (x) => tf.rsqrt(tf.add(tf.abs(x), 0.1)),
    tf.reciprocal,
    tf.abs,
    tf.relu,
    (x) => tf.sign(tf.relu(x)),
    tf.sign,
    tf.exp,
    (x) => tf.log(tf.add(tf.abs(x), 0.1)),
    (x) => tf.clipByValue(x, -0.5, 0.25),
    (x) => tf.grad((z) => tf.clipByValue(z, -0.5, 0.25))(x),
    tf.onesLike,
    tf.zerosLike,
    (x) => tf.fill(x.shape, 2.5),
  ];
  for (const shape of [[1], [3], [4], [7, 5], [2, 3, 4]]) {
    await agree("one value", [shape], computations, 1e-5);
  }
});

Deno.test("exponentials are right to 2e-7 of themselves, overflow to infinity, underflow to 0, and keep what is no number", async () => {
  await startBackend();
  const values = Array.from({ length: 17500 }, (_, i) => Math.fround(-87 + i / 100));
  const edges = [-Infinity, -1000, -104, 0, 88.8, 1000, Infinity, NaN];
  const x = tf.tensor1d([...values, ...edges]);
  const powers = tf.exp(x).dataSync();
  values.forEach((value, i) => {
    const right = Math.exp(value);
    ok(Math.abs(powers[i] - right) <= 2e-7 * right, `e^${value} is ${right}, not ${powers[i]}`);
  });
  deepStrictEqual([...powers.slice(values.length)], [0, 0, 0, 1, Infinity, Infinity, Infinity, NaN]);
  x.dispose();
});

Deno.test("logarithms are right to 2e-7 of themselves, from the least number on, and there is none below 0", async () => {
  await startBackend();
  const values = Array.from({ length: 17500 }, (_, i) => Math.fround(2 ** (-149 + i / 63.2)));
  const nearOne = Array.from({ length: 2001 }, (_, i) => Math.fround(0.9 + i / 10000));
  const edges = [0, 1, Infinity, -1, NaN];
  const x = tf.tensor1d([...values, ...nearOne, ...edges]);
  const logarithms = tf.log(x).dataSync();
  [...values, ...nearOne].forEach((value, i) => {
    const right = Math.log(value);
    const error = Math.abs(logarithms[i] - right);
    ok(error <= 2e-7 * Math.abs(right), `ln ${value} is ${right}, not ${logarithms[i]}`);
  });
  deepStrictEqual([...logarithms.slice(-edges.length)], [-Infinity, 0, Infinity, NaN, NaN]);
  x.dispose();
});

Deno.test("sums and means over any axes are those of cpu", async () => {
  const computations: Compute[] = [
    undefined,
    0,
    1,
    -1,
    [0, 2],
    [1, 2, 3],
    [0, 3],
    [1, 3],
  ].flatMap((axis) => [
    (x: tf.Tensor) => tf.sum(x, axis),
    (x: tf.Tensor) => tf.mean(x, axis),
    (x: tf.Tensor) => tf.sum(x, axis, true),
  ]);
  for (const shape of [[2, 3, 4, 5], [1, 64, 64, 2], [3, 1, 1, 17]]) {
    await agree("sums", [shape], computations, 1e-3);
  }
  await agree("a sum of many", [[2, 3], [2, 3], [2, 3]], [(...all) => tf.addN(all)], 1e-6);
});

Deno.test("values are moved about as on cpu, to the bit", async () => {
  await agree("moved", [[2, 3, 4, 5]], [
    (x) => tf.transpose(x),
    (x) => tf.transpose(x, [0, 2, 1, 3]),
    (x) => tf.transpose(x, [3, 0, 1, 2]),
    (x) => tf.slice(x, [1, 0, 2, 1], [1, 3, 2, 3]),
    (x) => tf.slice(x, [0, 1], [-1, 2]),
    (x) => tf.pad(x, [[0, 0], [1, 2], [3, 0], [0, 0]]),
    (x) => tf.pad(x, [[1, 0], [0, 0], [0, 1], [2, 2]], 7),
    (x) => tf.tile(x, [1, 2, 1, 3]),
    (x) => tf.tile(x, [2, 1, 1, 1]),
    (x) => tf.reverse(x, [1, 3]),
    (x) => tf.unstack(x, 2),
    (x) => tf.split(x, 2, 0),
    (x) => tf.split(x, [1, 3], 2),
    (x) => tf.reshape(tf.expandDims(tf.transpose(x), 1), [10, 12]),
  ]);
  await agree(
    "put together",
    [[2, 3, 4], [2, 3, 4]],
    [0, 1, 2, -1].flatMap((axis) => [
      (a, b) => tf.concat([a, b, a], axis),
      (a, b) => tf.stack([a, b], axis),
    ]),
  );
  await agree("six axes", [[2, 3, 2, 2, 3, 2]], [(x) => tf.transpose(x, [5, 3, 1, 0, 2, 4])]);
});

Deno.test("arithmetic and sums along eight axes, some of one value, are those of cpu, and so is a repetition's gradient", async () => {
  const eight = [1, 2, 1, 2, 3, 1, 1, 2];
  await agree("eight axes", [eight, [1, 2, 1, 1, 3, 1, 1, 1]], [
    (a, b) => tf.add(a, b),
    (a) => tf.sum(a, [0, 2, 4, 6]),
    (a) => tf.transpose(a, [7, 6, 5, 4, 3, 2, 1, 0]),
  ], 1e-6);
  await agree("repetition", [[2, 2, 1, 2]], [
    (x) => tf.grad((x) => tf.sum(tf.square(tf.tile(x, [1, 1, 2, 1]))))(x),
  ], 1e-5);
});

Deno.test("arithmetic along more than six axes is refused: stock wasm would leave it undone", async () => {
  await startBackend();
  tf.tidy(() => {
    const many = random("many", [2, 2, 2, 2, 2, 2, 2]);
    deepStrictEqual(tf.mul(many, many).dataSync(), tf.square(many).dataSync());
    throws(() => tf.mul(many, random("row", [2, 1])), /more than six axes[^]*reshape them to fewer/);
  });
});
