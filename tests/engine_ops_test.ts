/**
 * Values, first and second derivatives of every op, on every backend that starts here, against plain float64 loops and
 * their finite differences, which share no code with the engine.
 */

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import * as ops from "../engine/ops.ts";
import {
  assertClose,
  backends,
  type Case,
  normals,
  read,
  testCases,
  type Values,
} from "./engine_op_cases.ts";

// Oracles: plain loops over [n, h, w, c].

interface Sizes {
  n: number;
  h: number;
  w: number;
  c: number;
}

function at({ h, w, c }: Omit<Sizes, "n">, n: number, y: number, x: number, channel: number): number {
  return ((n * h + y) * w + x) * c + channel;
}

/** Calls `visit` with (image index, filter index, output index) of every product of a convolution. */
function convolution(
  { n, h, w, c }: Sizes,
  [kh, kw, k]: number[],
  stride: number,
  padding: number,
  visit: (image: number, filter: number, output: number) => void,
): number {
  const rows = Math.floor((h + 2 * padding - kh) / stride) + 1;
  const columns = Math.floor((w + 2 * padding - kw) / stride) + 1;
  for (let b = 0; b < n; b++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (let ky = 0; ky < kh; ky++) {
          for (let kx = 0; kx < kw; kx++) {
            const [y, x] = [row * stride + ky - padding, column * stride + kx - padding];
            if (y < 0 || x < 0 || y >= h || x >= w) continue;
            for (let i = 0; i < c; i++) {
              for (let o = 0; o < k; o++) {
                const output = at({ h: rows, w: columns, c: k }, b, row, column, o);
                visit(
                  at({ h, w, c }, b, y, x, i),
                  at({ h: kh, w: kw, c: c * k }, 0, ky, kx, i * k + o),
                  output,
                );
              }
            }
          }
        }
      }
    }
  }
  return n * rows * columns * k;
}

function zeros(length: number): Values {
  return new Array(length).fill(0);
}

function convolutionCase(image: number[], filter: number[], stride: number, padding: number): Case {
  const [n, h, w, c] = image;
  const [kh, kw, , k] = filter;
  return {
    name: `conv2d() of [${image}] with [${filter}], stride ${stride}, padding ${padding}`,
    shapes: [image, filter],
    op: (x, f) => ops.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, { stride, padding }),
    oracle: (x, f) => {
      const out: Values = [];
      const size = convolution({ n, h, w, c }, [kh, kw, k], stride, padding, (i, j, o) => {
        out[o] = (out[o] ?? 0) + x[i] * f[j];
      });
      return Array.from({ length: size }, (_, index) => out[index] ?? 0);
    },
  };
}

function adjointCases(image: number[], filter: number[], padding: number): Case[] {
  const [n, h, w, c] = image;
  const [kh, kw, , k] = filter;
  const output = [n, h + 2 * padding - kh + 1, w + 2 * padding - kw + 1, k];
  return [{
    name: `conv2dBackpropInput() to [${image}] with [${filter}], padding ${padding}`,
    shapes: [output, filter],
    op: (g, f) => ops.conv2dBackpropInput(g as tf.Tensor4D, f as tf.Tensor4D, [h, w], { padding }),
    oracle: (g, f) => {
      const out = zeros(sizeOf(image));
      convolution({ n, h, w, c }, [kh, kw, k], 1, padding, (i, j, o) => out[i] += g[o] * f[j]);
      return out;
    },
  }, {
    name: `conv2dBackpropFilter() to [${filter}] from [${image}], padding ${padding}`,
    shapes: [image, output],
    op: (x, g) => ops.conv2dBackpropFilter(x as tf.Tensor4D, g as tf.Tensor4D, [kh, kw], { padding }),
    oracle: (x, g) => {
      const out = zeros(sizeOf(filter));
      convolution({ n, h, w, c }, [kh, kw, k], 1, padding, (i, j, o) => out[j] += x[i] * g[o]);
      return out;
    },
  }];
}

function normCase(shape: number[], epsilon: number, slope = 1): Case {
  const [n, h, w, c] = shape;
  return {
    name: `instanceNorm() of [${shape}], epsilon ${epsilon}, slope ${slope}`,
    shapes: [shape],
    op: (x) => ops.instanceNorm(x as tf.Tensor4D, { epsilon, slope }),
    oracle: (x) => {
      const out = zeros(x.length);
      for (let b = 0; b < n; b++) {
        for (let channel = 0; channel < c; channel++) {
          const places = Array.from({ length: h * w }, (_, pixel) => (b * h * w + pixel) * c + channel);
          const mean = places.reduce((sum, place) => sum + x[place], 0) / places.length;
          const variance = places.reduce((sum, place) => sum + (x[place] - mean) ** 2, 0) / places.length;
          for (const place of places) {
            const value = (x[place] - mean) / Math.sqrt(variance + epsilon);
            out[place] = value > 0 ? value : slope * value;
          }
        }
      }
      return out;
    },
  };
}

/** The four pixels of each 2x2 block, joined by `join`, in reading order of the blocks. */
function byBlocks([n, h, w, c]: number[], x: Values, join: (four: Values) => number): Values {
  const out: Values = [];
  for (let b = 0; b < n; b++) {
    for (let y = 0; y < h; y += 2) {
      for (let column = 0; column < w; column += 2) {
        for (let channel = 0; channel < c; channel++) {
          const value = (down: number, right: number) =>
            x[at({ h, w, c }, b, y + down, column + right, channel)];
          out.push(join([value(0, 0), value(0, 1), value(1, 0), value(1, 1)]));
        }
      }
    }
  }
  return out;
}

const halved = [2, 4, 6, 5];
const halved4 = [1, 4, 2, 8];
const doubled = [2, 3, 2, 5];
const symmetric = (() => {
  const rng = stream("engine-ops/symmetric");
  const half = Array.from({ length: 6 }, () => Array.from({ length: 6 }, () => rng.normal()));
  return half.map((row, i) => row.map((value, j) => value + half[j][i]));
})();

const cases: Case[] = [
  convolutionCase([1, 5, 4, 1], [3, 3, 1, 1], 1, 1),
  convolutionCase([2, 5, 4, 3], [3, 3, 3, 5], 1, 1),
  convolutionCase([1, 4, 6, 8], [3, 3, 8, 8], 1, 1),
  convolutionCase([1, 6, 5, 4], [2, 2, 4, 9], 1, 0),
  convolutionCase([2, 3, 3, 5], [1, 1, 5, 2], 1, 0),
  convolutionCase([1, 3, 4, 2], [1, 1, 2, 3], 1, 1),
  convolutionCase([1, 4, 3, 2], [2, 3, 2, 3], 1, 3),
  convolutionCase([1, 7, 9, 2], [5, 3, 2, 8], 1, 2),
  convolutionCase([2, 8, 6, 3], [4, 4, 3, 5], 2, 1),
  convolutionCase([1, 7, 7, 2], [4, 4, 2, 3], 2, 1),
  convolutionCase([1, 7, 5, 2], [3, 3, 2, 2], 2, 1),
  convolutionCase([1, 6, 6, 1], [1, 1, 1, 3], 2, 0),
  convolutionCase([1, 10, 8, 1], [5, 4, 1, 2], 3, 2),
  ...adjointCases([2, 5, 4, 3], [3, 3, 3, 5], 1),
  ...adjointCases([1, 4, 5, 8], [2, 2, 8, 4], 0),
  normCase([2, 3, 5, 5], 1e-5),
  normCase([1, 4, 4, 8], 0.5),
  normCase([1, 7, 3, 1], 1e-5),
  normCase([2, 3, 5, 5], 1e-5, 0.2),
  normCase([1, 4, 4, 8], 0.5, 0),
  {
    name: "leakyRelu()",
    shapes: [[3, 5, 7]],
    op: (x) => ops.leakyRelu(x, 0.2),
    oracle: (x) => x.map((value) => value > 0 ? value : 0.2 * value),
  },
  {
    name: "relu()",
    shapes: [[37]],
    op: (x) => ops.relu(x),
    oracle: (x) => x.map((value) => Math.max(value, 0)),
  },
  {
    name: "prelu()",
    shapes: [[2, 3, 5, 6], [6]],
    op: (x, slope) => ops.prelu(x, slope as tf.Tensor1D),
    oracle: (x, slope) => x.map((value, i) => value > 0 ? value : slope[i % 6] * value),
  },
  {
    name: "prelu() of many pixels",
    shapes: [[150, 3], [3]],
    op: (x, slope) => ops.prelu(x, slope as tf.Tensor1D),
    oracle: (x, slope) => x.map((value, i) => value > 0 ? value : slope[i % 3] * value),
  },
  {
    name: "addToChannels()",
    shapes: [[2, 3, 5, 6], [6]],
    op: (x, bias) => ops.addToChannels(x, bias as tf.Tensor1D),
    oracle: (x, bias) => x.map((value, i) => value + bias[i % 6]),
  },
  ...[halved, halved4].flatMap((shape): Case[] => [{
    name: `averagePool2() of [${shape}]`,
    shapes: [shape],
    op: (x) => ops.averagePool2(x as tf.Tensor4D),
    oracle: (x) => byBlocks(shape, x, ([a, b, c, d]) => (a + b + c + d) / 4),
  }, {
    name: `maxPool2() of [${shape}]`,
    shapes: [shape],
    op: (x) => ops.maxPool2(x as tf.Tensor4D),
    oracle: (x) => byBlocks(shape, x, (four) => Math.max(...four)),
  }]),
  {
    name: "upsample2()",
    shapes: [doubled],
    op: (x) => ops.upsample2(x as tf.Tensor4D),
    oracle: (x) => {
      const [n, h, w, c] = doubled;
      const out: Values = [];
      for (let row = 0; row < n * 2 * h; row++) {
        for (let column = 0; column < 2 * w; column++) {
          for (let channel = 0; channel < c; channel++) {
            out.push(x[((row >> 1) * w + (column >> 1)) * c + channel]);
          }
        }
      }
      return out;
    },
  },
  {
    name: "concatUpsampled()",
    shapes: [[2, 4, 6, 5], [2, 2, 3, 7]],
    op: (a, b) => ops.concatUpsampled(a as tf.Tensor4D, b as tf.Tensor4D),
    oracle: (a, b) =>
      Array.from({ length: 48 }, (_, pixel) => {
        const [row, column] = [Math.floor(pixel / 6), pixel % 6];
        const below = 7 * (Math.floor(row / 2) * 3 + Math.floor(column / 2));
        return [...a.slice(pixel * 5, pixel * 5 + 5), ...b.slice(below, below + 7)];
      }).flat(),
  },
  {
    name: "concatChannels()",
    shapes: [[2, 3, 2, 5], [2, 3, 2, 3]],
    op: (a, b) => ops.concatChannels(a, b),
    oracle: (a, b) =>
      Array.from({ length: 12 }, (_, pixel) => [
        ...a.slice(pixel * 5, pixel * 5 + 5),
        ...b.slice(pixel * 3, pixel * 3 + 3),
      ]).flat(),
  },
  {
    name: "sliceChannels()",
    shapes: [[2, 3, 9]],
    op: (x) => ops.sliceChannels(x, 2, 6),
    oracle: (x) => Array.from({ length: 6 }, (_, pixel) => x.slice(pixel * 9 + 2, pixel * 9 + 8)).flat(),
  },
  {
    name: "l1()",
    shapes: [[5, 7], [5, 7]],
    op: (a, b) => ops.l1(a, b),
    oracle: (a, b) => [a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length],
  },
  {
    name: "l2()",
    shapes: [[5, 7], [5, 7]],
    op: (a, b) => ops.l2(a, b),
    oracle: (a, b) => [a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length],
  },
  {
    name: "symmetricProduct()",
    shapes: [[5, 6]],
    op: (x) => ops.symmetricProduct(x as tf.Tensor2D, tf.tensor2d(symmetric)),
    oracle: (x) =>
      Array.from({ length: 30 }, (_, place) => {
        const row = 6 * Math.floor(place / 6);
        return symmetric.reduce((sum, line, i) => sum + x[row + i] * line[place % 6], 0);
      }),
  },
];

testCases(cases);

Deno.test("instanceNorm() loses no digits in large images far from zero, in any number of channels", async () => {
  const shape: [number, number, number, number] = [2, 61, 47, 7];
  const values = normals("far from zero", sizeOf(shape)).map((value) => Math.fround(100 + value));
  const expected = normCase(shape, 1e-5).oracle(values);
  for (const { options, title } of backends) {
    await startBackend(options);
    const actual = await read([tf.tidy(() => ops.instanceNorm(tf.tensor4d(values, shape)))]);
    assertClose(actual, expected, 3e-6, title);
  }
});

Deno.test("instanceNorm() with a slope is the leaky ReLU of it to the bit, and so are its gradients", async () => {
  await startBackend();
  const x = tf.tensor4d(normals("fused", 2 * 9 * 7 * 6), [2, 9, 7, 6]);
  const v = tf.tensor4d(normals("fused/v", 2 * 9 * 7 * 6), [2, 9, 7, 6]);
  const both = (f: (x: tf.Tensor4D) => tf.Tensor4D) => {
    const once = (x: tf.Tensor) => tf.grad((x) => tf.sum(tf.mul(f(x as tf.Tensor4D), v)))(x);
    return tf.tidy(() => [f(x), once(x), tf.grad((x) => tf.sum(tf.square(once(x))))(x)]);
  };
  const fused = await read(both((x) => ops.instanceNorm(x, { slope: 0.2 })));
  assert.deepEqual(fused, await read(both((x) => ops.leakyRelu(ops.instanceNorm(x), 0.2))));
  tf.dispose([x, v]);
});

Deno.test("maxPool2() gives the gradient to the first of equal values", async () => {
  for (const { options } of backends) {
    await startBackend(options);
    const x = tf.ones([1, 2, 2, 1]);
    const gradient = tf.grad((x) => tf.sum(ops.maxPool2(x as tf.Tensor4D)))(x);
    assert.deepEqual(await read([gradient]), [1, 0, 0, 0]);
    x.dispose();
  }
});

Deno.test("stopGradient() keeps the values and stops the gradient", async () => {
  for (const { options } of backends) {
    await startBackend(options);
    const x = tf.tensor1d([1, 2, 3]);
    const gradient = tf.grad((x) => tf.sum(tf.mul(x, ops.stopGradient(x))))(x);
    assert.deepEqual(await read([gradient]), [1, 2, 3]);
    x.dispose();
  }
});

Deno.test("leakyClamp() is max(x, 0), with a slope below 0 that draws back", async () => {
  for (const { options } of backends) {
    await startBackend(options);
    const x = tf.tensor1d([-2, -0.5, 1, 3]);
    assert.deepEqual(await read([tf.tidy(() => ops.leakyClamp(x, 0.25))]), [0, 0, 1, 3]);
    const gradient = tf.grad((x) => tf.sum(tf.mul(ops.leakyClamp(x, 0.25), [4, 8, 1, 2])))(x);
    assert.deepEqual(await read([gradient]), [1, 2, 1, 2]);
    x.dispose();
  }
});

Deno.test("logProduct() multiplies numbers that single precision does not have", async () => {
  const logs = (name: string, size: number, spread: number) =>
    normals(name, size).map((value) => Math.fround(spread * value));
  for (const { options } of backends) {
    await startBackend(options);
    for (const spread of [1, 30, 3000]) {
      const [x, y] = [logs("x", 5 * 7, spread), logs("y", 7 * 6, spread)];
      const product = ops.logProduct(tf.tensor2d(x, [5, 7]), tf.tensor2d(y, [7, 6]));
      const expected = Array.from({ length: 30 }, (_, place) => {
        const [row, column] = [Math.floor(place / 6), place % 6];
        const terms = Array.from({ length: 7 }, (_, k) => x[row * 7 + k] + y[k * 6 + column]);
        const largest = Math.max(...terms);
        return largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0));
      });
      assertClose(await read([product]), expected, 3e-7, `spread ${spread}`);
    }
  }
});

Deno.test("a clone of a tensor survives its original, and shares no changes with it", async () => {
  await startBackend();
  const x = tf.tensor1d([1, 2, 3]);
  const clone = tf.clone(x);
  x.dispose();
  assert.deepEqual(await read([clone]), [1, 2, 3]);
});

Deno.test("ops refuse what does not fit, and say what would", async () => {
  await startBackend();
  const image = tf.zeros<tf.Rank.R4>([1, 5, 4, 3]);
  const refusals: [() => unknown, RegExp][] = [
    [() => ops.conv2d(image, tf.zeros([3, 3, 2, 8])), /the image has 3 channels, the filter takes 2[^]*fix:/],
    [() => ops.conv2d(image, tf.zeros([6, 3, 3, 8])), /a 6x3 filter does not fit a 5x4 image/],
    [() => ops.conv2d(image, tf.zeros([3, 3, 3, 8]), { stride: 0 }), /stride is 0/],
    [() => ops.conv2d(image, tf.zeros([3, 3, 3, 8]), { padding: 0.5 }), /padding is 0.5/],
    [
      () => ops.conv2d(tf.zeros<tf.Rank.R3>([5, 4, 3]) as tf.Tensor as tf.Tensor4D, tf.zeros([3, 3, 3, 8])),
      /x is a float32 tensor \[5,4,3\]/,
    ],
    [() => ops.conv2d(tf.zeros([1, 5, 4, 3], "int32"), tf.zeros([3, 3, 3, 8])), /x is a int32 tensor/],
    [() => ops.conv2dBackpropInput(image, tf.zeros([3, 3, 2, 3]), [6, 6]), /gives 4x4, not 5x4/],
    [() => ops.conv2dBackpropInput(image, tf.zeros([3, 3, 2, 4]), [7, 6]), /the gradient has 3 channels/],
    [() => ops.conv2dBackpropFilter(tf.zeros([2, 7, 6, 3]), image, [3, 3]), /2 images, 1 gradients/],
    [() => ops.prelu(image, tf.zeros([4])), /prelu: \[4\] for the channels of \[1,5,4,3\]/],
    [() => ops.addToChannels(image, tf.zeros([1])), /give one number a channel/],
    [() => ops.logProduct(tf.zeros([2, 3]), tf.zeros([2, 3])), /logProduct: \[2,3\] times \[2,3\]/],
    [() => ops.averagePool2(image), /cannot halve an image of 5x4/],
    [() => ops.maxPool2(image), /cannot halve an image of 5x4/],
    [() => ops.concatChannels(image, tf.zeros([1, 4, 5, 3])), /differ in more than their channels/],
    [() => ops.concatUpsampled(image, image), /is not twice as high and wide/],
    [() => ops.sliceChannels(image, 2, 2), /no channels 2 to 3/],
    [() => ops.l1(image, tf.zeros([1, 4, 5, 3])), /are not of one shape/],
    [() => ops.l2(image, tf.zeros([60])), /are not of one shape/],
    [() => ops.symmetricProduct(tf.zeros([2, 3]), tf.zeros([3, 4])), /\[2,3\] times \[3,4\]/],
  ];
  for (const [refused, words] of refusals) assert.throws(refused, words);
});
