/** The gradients that we register for stock ops, against differences of the same functions in float64. */

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import "../engine/ops.ts";
import { alone } from "./alone.ts";
import { allBackends, read, starts } from "./engine_op_cases.ts";

/** A function of six numbers to six numbers (or of two of either), as tensors and as numbers. */
interface Case {
  readonly name: string;
  readonly inputs: number;
  /** Whether it is defined for positive numbers only. */
  readonly positive?: boolean;
  op(...inputs: tf.Tensor[]): tf.Tensor;
  oracle(...inputs: number[][]): number[];
}

function pointwise(
  name: string,
  op: (x: tf.Tensor) => tf.Tensor,
  f: (x: number) => number,
  positive = false,
): Case {
  return { name, inputs: 1, positive, op, oracle: (x) => x.map(f) };
}

function paired(
  name: string,
  op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  f: (a: number, b: number) => number,
  positive = false,
): Case {
  return { name, inputs: 2, positive, op, oracle: (a, b) => a.map((value, i) => f(value, b[i])) };
}

/** A function of the rows of a 2 x 3 matrix and one row, which is there for both of them. */
function withRow(
  name: string,
  op: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  f: (a: number, b: number) => number,
  positive = false,
): Case {
  return {
    name: `${name}, with a row for every row`,
    inputs: 2,
    positive,
    op: (a, b) => op(matrix(a, 2), tf.slice(b, 0, 3)),
    oracle: (a, b) => a.map((value, i) => f(value, b[i % 3])),
  };
}

const matrix = (x: tf.Tensor, rows: number): tf.Tensor2D => tf.reshape(x, [rows, 6 / rows]);
const product = (a: number[], b: number[]): number[] => {
  // [2, 3] times [3, 2]
  const entry = (i: number, j: number) => [0, 1, 2].reduce((sum, k) => sum + a[3 * i + k] * b[2 * k + j], 0);
  return [entry(0, 0), entry(0, 1), entry(1, 0), entry(1, 1)];
};
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

const cases: Case[] = [
  paired("add", tf.add, (a, b) => a + b),
  paired("sub", tf.sub, (a, b) => a - b),
  paired("mul", tf.mul, (a, b) => a * b),
  paired("div", tf.div, (a, b) => a / b, true),
  paired("squaredDifference", tf.squaredDifference, (a, b) => (a - b) ** 2),
  paired("pow", tf.pow, (a, b) => a ** b, true),
  paired("maximum", tf.maximum, Math.max),
  paired("minimum", tf.minimum, Math.min),
  paired("where", (a, b) => tf.where(tf.greater(a, 0), a, b), (a, b) => a > 0 ? a : b),
  pointwise("neg", tf.neg, (x) => -x),
  pointwise("square", tf.square, (x) => x ** 2),
  pointwise("sqrt", tf.sqrt, Math.sqrt, true),
  pointwise("rsqrt", tf.rsqrt, (x) => 1 / Math.sqrt(x), true),
  pointwise("reciprocal", tf.reciprocal, (x) => 1 / x, true),
  pointwise("exp", tf.exp, Math.exp),
  pointwise("log", tf.log, Math.log, true),
  pointwise("log1p", tf.log1p, Math.log1p, true),
  pointwise("sin", tf.sin, Math.sin),
  pointwise("cos", tf.cos, Math.cos),
  pointwise("tanh", tf.tanh, Math.tanh),
  pointwise("sigmoid", tf.sigmoid, (x) => 1 / (1 + Math.exp(-x))),
  pointwise("softplus", tf.softplus, (x) => Math.log1p(Math.exp(x))),
  pointwise("abs", tf.abs, Math.abs),
  pointwise("relu", tf.relu, (x) => Math.max(x, 0)),
  pointwise("clipByValue", (x) => tf.clipByValue(x, -0.7, 0.9), (x) => Math.min(Math.max(x, -0.7), 0.9)),
  withRow("add", tf.add, (a, b) => a + b),
  withRow("sub", tf.sub, (a, b) => a - b),
  withRow("mul", tf.mul, (a, b) => a * b),
  withRow("div", tf.div, (a, b) => a / b, true),
  withRow("pow", tf.pow, (a, b) => a ** b, true),
  withRow("maximum", tf.maximum, Math.max),
  withRow("minimum", tf.minimum, Math.min),
  withRow("squaredDifference", tf.squaredDifference, (a, b) => (a - b) ** 2),
  {
    name: "slice of five axes",
    inputs: 1,
    op: (x) => tf.slice(tf.reshape(x, [1, 3, 1, 2, 1]), [0, 1, 0, 0, 0], [1, 2, 1, 1, 1]),
    oracle: (x) => [x[2], x[4]],
  },
  {
    name: "pad along five axes",
    inputs: 1,
    op: (x) => tf.pad(tf.reshape(x, [1, 3, 1, 2, 1]), [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]]),
    oracle(x) {
      const out = new Array<number>(2 * 4 * 2 * 3 * 2).fill(0);
      x.forEach((value, i) => out[(((4 + Math.floor(i / 2)) * 2 + 1) * 3 + i % 2) * 2 + 1] = value);
      return out;
    },
  },
  {
    name: "where of five axes",
    inputs: 2,
    op: (a, b) => {
      const [x, y] = [a, b].map((tensor) => tf.reshape(tensor, [1, 3, 1, 2, 1]));
      return tf.where(tf.greater(x, 0), x, y);
    },
    oracle: (a, b) => a.map((value, i) => value > 0 ? value : b[i]),
  },
  { name: "sum", inputs: 1, op: (x) => tf.sum(x), oracle: (x) => [sum(x)] },
  {
    name: "sum over rows",
    inputs: 1,
    op: (x) => tf.sum(matrix(x, 2), 0),
    oracle: (x) => [x[0] + x[3], x[1] + x[4], x[2] + x[5]],
  },
  {
    name: "mean over columns",
    inputs: 1,
    op: (x) => tf.mean(matrix(x, 2), -1, true),
    oracle: (x) => [sum(x.slice(0, 3)) / 3, sum(x.slice(3)) / 3],
  },
  {
    name: "max over columns",
    inputs: 1,
    op: (x) => tf.max(matrix(x, 2), 1),
    oracle: (x) => [Math.max(...x.slice(0, 3)), Math.max(...x.slice(3))],
  },
  {
    name: "logSumExp",
    inputs: 1,
    op: (x) => tf.logSumExp(x),
    oracle: (x) => [Math.log(sum(x.map(Math.exp)))],
  },
  {
    name: "softmax",
    inputs: 1,
    op: (x) => tf.softmax(x),
    oracle: (x) => x.map((value) => Math.exp(value) / sum(x.map(Math.exp))),
  },
  { name: "matMul", inputs: 2, op: (a, b) => tf.matMul(matrix(a, 2), matrix(b, 3)), oracle: product },
  {
    name: "matMul, first transposed",
    inputs: 2,
    op: (a, b) => tf.matMul(tf.transpose(matrix(a, 2)), matrix(b, 3), true),
    oracle: product,
  },
  {
    name: "matMul, second transposed",
    inputs: 2,
    op: (a, b) => tf.matMul(matrix(a, 2), tf.transpose(matrix(b, 3)), false, true),
    oracle: product,
  },
  {
    name: "matMul, both transposed",
    inputs: 2,
    op: (a, b) => tf.matMul(tf.transpose(matrix(a, 2)), tf.transpose(matrix(b, 3)), true, true),
    oracle: product,
  },
  {
    name: "matMul of a batch",
    inputs: 2,
    op: (a, b) => tf.matMul(tf.reshape(a, [2, 1, 3]), tf.reshape(b, [2, 3, 1])),
    oracle: (a, b) =>
      [0, 3].map((from) => [0, 1, 2].reduce((total, k) => total + a[from + k] * b[from + k], 0)),
  },
  { name: "cast", inputs: 1, op: (x) => tf.cast(x, "float32"), oracle: (x) => x },
  { name: "expandDims", inputs: 1, op: (x) => tf.expandDims(x, 0), oracle: (x) => x },
  { name: "reverse", inputs: 1, op: (x) => tf.reverse(x), oracle: (x) => x.toReversed() },
  {
    name: "transpose",
    inputs: 1,
    op: (x) => tf.transpose(matrix(x, 2)),
    oracle: (x) => [x[0], x[3], x[1], x[4], x[2], x[5]],
  },
  {
    name: "slice",
    inputs: 1,
    op: (x) => tf.slice(matrix(x, 2), [0, 1], [-1, 2]),
    oracle: (x) => [x[1], x[2], x[4], x[5]],
  },
  {
    name: "pad",
    inputs: 1,
    op: (x) => tf.pad(matrix(x, 2), [[1, 0], [0, 1]]),
    oracle: (x) => [0, 0, 0, 0, x[0], x[1], x[2], 0, x[3], x[4], x[5], 0],
  },
  {
    name: "tile",
    inputs: 1,
    op: (x) => tf.tile(matrix(x, 2), [1, 2]),
    oracle: (x) => [...x.slice(0, 3), ...x.slice(0, 3), ...x.slice(3), ...x.slice(3)],
  },
  {
    name: "addN",
    inputs: 2,
    op: (a, b) => tf.addN([a, b, a]),
    oracle: (a, b) => a.map((value, i) => 2 * value + b[i]),
  },
  {
    name: "concat",
    inputs: 2,
    op: (a, b) => tf.concat([matrix(a, 2), matrix(b, 2)], 1),
    oracle: (a, b) => [...a.slice(0, 3), ...b.slice(0, 3), ...a.slice(3), ...b.slice(3)],
  },
  { name: "stack", inputs: 2, op: (a, b) => tf.stack([a, b]), oracle: (a, b) => [...a, ...b] },
  {
    name: "unstack",
    inputs: 1,
    op: (x) => tf.mul(tf.unstack(matrix(x, 2))[1], 2),
    oracle: (x) => x.slice(3).map((value) => 2 * value),
  },
  {
    name: "sign, a constant almost everywhere",
    inputs: 1,
    op: (x) => tf.mul(x, tf.sign(x)),
    oracle: (x) => x.map(Math.abs),
  },
];

function draw(name: string, positive: boolean): number[] {
  const rng = stream(`engine-stock-gradients/${name}`);
  return Array.from({ length: 6 }, () => {
    const value = rng.normal();
    return Math.fround(positive ? 0.3 + Math.abs(value) : value + 0.05 * Math.sign(value));
  });
}

/** ½ Σ (i + 1)(y_i + 1)², so that a linear op has a second derivative too. */
const joined = (y: number[]) => sum(y.map((value, i) => (i + 1) * (value + 1) ** 2 / 2));
const joinedTensor = (y: tf.Tensor): tf.Scalar => {
  const weights = tf.reshape(tf.tensor1d(Array.from({ length: y.size }, (_, i) => (i + 1) / 2)), y.shape);
  return tf.sum(tf.mul(weights, tf.square(tf.add(y, 1))));
};

function differences(f: (inputs: number[][]) => number, inputs: number[][], h: number): number[] {
  return inputs.flatMap((values, which) =>
    values.map((_, index) => {
      const moved = (by: number) =>
        inputs.map((other, i) => other.map((v, j) => i === which && j === index ? v + by : v));
      return (f(moved(h)) - f(moved(-h))) / (2 * h);
    })
  );
}

function assertClose(values: number[], expected: number[], tolerance: number, what: string): void {
  const scale = Math.max(1, ...expected.map(Math.abs));
  assert.equal(values.length, expected.length, what);
  expected.forEach((value, i) =>
    assert.ok(Math.abs(values[i] - value) <= tolerance * scale, `${what} ${i}: ${values[i]}, not ${value}`)
  );
}

for (const { title, options, ignore } of allBackends) {
  for (const { name, inputs, positive = false, op, oracle } of cases) {
    Deno.test({
      name: `tf.${name} has the two derivatives that differences say it has (${title})`,
      ignore,
      async fn() {
        await startBackend(options);
        const values = Array.from({ length: inputs }, (_, i) => draw(`${name}/${i}`, positive));
        const direction = Array.from({ length: inputs }, (_, i) => draw(`${name}/along ${i}`, false));
        const before = tf.memory().numTensors;
        const made = tf.tidy(() => {
          const tensors = values.map((x) => tf.tensor1d(x));
          const loss = (...xs: tf.Tensor[]) => joinedTensor(op(...xs));
          const slope = (...xs: tf.Tensor[]) =>
            tf.addN(
              tf.grads(loss)(xs).map((g, i) => tf.sum(tf.mul(g, tf.tensor1d(direction[i])))),
            ) as tf.Scalar;
          return {
            value: [op(...tensors)],
            first: tf.grads(loss)(tensors),
            second: tf.grads(slope)(tensors),
          };
        });
        assertClose(await read(made.value), oracle(...values), 1e-5, "value");

        const smooth = (moved: number[][]) => joined(oracle(...moved));
        assertClose(await read(made.first), differences(smooth, values, 1e-5), 1e-4, "first derivative");

        const h = 1e-4;
        const along = (moved: number[][]) => {
          const step = (by: number) => moved.map((x, i) => x.map((value, j) => value + by * direction[i][j]));
          return (smooth(step(h)) - smooth(step(-h))) / (2 * h);
        };
        assertClose(await read(made.second), differences(along, values, h), 3e-4, "second derivative");
        assert.equal(tf.memory().numTensors, before, "tensors are leaked");
        await startBackend();
      },
    });
  }
}

Deno.test({
  name: "the copy of TensorFlow.js that native brings leaves the gradients of the suite in their place",
  ignore: !(await starts("native")),
}, async () => {
  // A process of its own, in which nothing has been native before.
  const names = await alone<{ changed: string[]; all: number }>("native_gradients.ts");
  assert.deepEqual(names.changed, []);
  assert.ok(names.all > 40, `${names.all} gradients`);
});
