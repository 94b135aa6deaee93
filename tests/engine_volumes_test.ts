/** Ops on volumes against stock 3-D convolutions on `cpu`, and against plain float64 loops. */

import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../core/image.ts";
import { startBackend } from "../engine/backend.ts";
import * as volumes from "../engine/volumes.ts";
import {
  assertClose,
  backends,
  type Case,
  normals,
  read,
  testCases,
  type Values,
} from "./engine_op_cases.ts";

/** `[n, d, h, w, c]`, which the contracts call a batch like any other. */
function volume(values: Values, shape: readonly number[]): tf.Tensor4D {
  return tf.tensor(values, [...shape]) as tf.Tensor as tf.Tensor4D;
}

/** A cubic filter as stock ops have it, `[kd, kh, kw, c, k]`, from ours, `[kh, kw, kd·c, k]`; and back. */
function stockFilter(filter: tf.Tensor, side: number): tf.Tensor5D {
  const [, , stacked, outputs] = filter.shape;
  const split = tf.reshape(filter, [side, side, side, stacked / side, outputs]);
  return tf.transpose(split, [2, 0, 1, 3, 4]) as tf.Tensor5D;
}
function ownFilter(filter: tf.Tensor): tf.Tensor {
  const [side, , , channels, outputs] = filter.shape;
  return tf.reshape(tf.transpose(filter, [1, 2, 0, 3, 4]), [side, side, side * channels, outputs]);
}

/** Value, and gradients of ⟨g, value⟩ in image and filter, by TensorFlow.js's own kernels for three dimensions. */
function stockConvolution(x: tf.Tensor, filter: tf.Tensor, g: tf.Tensor, side: number, options: {
  stride: number;
  padding: number;
}): tf.Tensor[] {
  const { stride, padding } = options;
  const around: [number, number] = [padding, padding];
  const padded = tf.pad(x, [[0, 0], around, around, around, [0, 0]]);
  const attributes = {
    strides: [stride, stride, stride],
    pad: "valid",
    dataFormat: "NDHWC",
    dilations: [1, 1, 1],
  };
  const own = stockFilter(filter, side);
  const run = (name: string, inputs: tf.NamedTensorMap, more: tf.NamedAttrMap = {}) =>
    tf.engine().runKernel(name, inputs, { ...attributes, ...more }) as tf.Tensor;
  const inImage = run("Conv3DBackpropInputV2", { dy: g, filter: own }, { inputShape: padded.shape });
  return [
    run("Conv3D", { x: padded, filter: own }),
    tf.slice(inImage, [0, padding, padding, padding, 0], x.shape),
    ownFilter(run("Conv3DBackpropFilterV2", { x: padded, dy: g }, { filterShape: own.shape })),
  ];
}

const convolutions = [
  { shape: [2, 5, 6, 4, 3], side: 3, outputs: 5, stride: 1, padding: 1 },
  { shape: [1, 6, 9, 8, 4], side: 3, outputs: 8, stride: 1, padding: 1 },
  { shape: [1, 12, 12, 12, 8], side: 3, outputs: 16, stride: 1, padding: 1 },
  { shape: [2, 8, 10, 6, 3], side: 4, outputs: 5, stride: 2, padding: 1 },
  { shape: [1, 7, 5, 9, 2], side: 4, outputs: 8, stride: 2, padding: 1 },
  { shape: [2, 7, 6, 5, 2], side: 3, outputs: 3, stride: 1, padding: 0 },
  { shape: [1, 3, 4, 5, 6], side: 1, outputs: 2, stride: 1, padding: 0 },
  { shape: [1, 2, 3, 2, 1], side: 3, outputs: 2, stride: 1, padding: 1 },
];

for (const { title, options } of backends) {
  for (const { shape, side, outputs, stride, padding } of convolutions) {
    Deno.test(`convolve() of [${shape}] with side ${side}, stride ${stride}, padding ${padding} is stock conv3d (${title})`, async () => {
      const channels = shape[4];
      const filterShape = [side, side, side * channels, outputs];
      const steps = shape.slice(1, 4).map((extent) => Math.floor((extent + 2 * padding - side) / stride) + 1);
      const outShape = [shape[0], ...steps, outputs];
      const [x, filter, g] = [shape, filterShape, outShape].map((one, i) =>
        normals(`volumes/${i}`, sizeOf(one))
      );

      await startBackend({ name: "cpu" });
      const expected = await read(
        tf.tidy(() =>
          stockConvolution(
            tf.tensor(x, shape),
            tf.tensor(filter, filterShape),
            tf.tensor(g, outShape),
            side,
            {
              stride,
              padding,
            },
          )
        ),
      );

      await startBackend(options);
      const before = tf.memory().numTensors;
      const actual = tf.tidy(() => {
        const inputs = [tf.tensor(x, shape), tf.tensor(filter, filterShape)];
        const convolved = (...[x, filter]: tf.Tensor[]) =>
          volumes.convolve(x as tf.Tensor4D, filter as tf.Tensor4D, { stride, padding });
        const value = convolved(...inputs);
        assert.deepEqual(value.shape, outShape);
        const along = (...given: tf.Tensor[]) => tf.sum(tf.mul(convolved(...given), tf.tensor(g, outShape)));
        return [value, ...tf.grads(along)(inputs)];
      });
      assertClose(await read(actual), expected, 3e-5, "value and gradients");
      assert.equal(tf.memory().numTensors, before, "tensors are leaked");
    });
  }
}

/** Calls `visit` with every voxel's place and index. */
function everyVoxel(
  [n, d, h, w, c]: readonly number[],
  visit: (place: readonly [number, number, number, number, number], index: number) => void,
): void {
  let index = 0;
  for (let b = 0; b < n; b++) {
    for (let z = 0; z < d; z++) {
      for (let y = 0; y < h; y++) {
        for (let x = 0; x < w; x++) for (let k = 0; k < c; k++) visit([b, z, y, x, k], index++);
      }
    }
  }
}

const half = (extent: number) => Math.floor(extent / 2);

/** The eight values of each 2x2x2 block in reading order, joined. */
function byBlocks(shape: readonly number[], x: Values, join: (eight: Values) => number): Values {
  const [n, d, h, w, c] = shape;
  const small = [n, half(d), half(h), half(w), c];
  const blocks: Values[] = Array.from({ length: sizeOf(small) }, () => []);
  everyVoxel(shape, ([b, z, y, x_, k], index) => {
    const block = (((b * small[1] + half(z)) * small[2] + half(y)) * small[3] + half(x_)) * c + k;
    blocks[block].push(x[index]);
  });
  return blocks.map(join);
}

const halved = [2, 4, 2, 6, 3];
const cases: Case[] = [
  {
    name: "averagePool() of volumes",
    shapes: [halved],
    op: (x) => volumes.averagePool(x as tf.Tensor4D),
    oracle: (x) => byBlocks(halved, x, (eight) => eight.reduce((a, b) => a + b) / 8),
  },
  {
    name: "maxPool() of volumes",
    shapes: [halved],
    op: (x) => volumes.maxPool(x as tf.Tensor4D),
    oracle: (x) => byBlocks(halved, x, (eight) => Math.max(...eight)),
  },
  {
    name: "joinUpsampled() of volumes",
    shapes: [[2, 4, 2, 6, 3], [2, 2, 1, 3, 2]],
    op: (a, b) => volumes.joinUpsampled(a as tf.Tensor4D, b as tf.Tensor4D),
    oracle: (a, b) => {
      const out: Values = [];
      everyVoxel([2, 4, 2, 6, 5], ([n, z, y, x, k]) => {
        out.push(
          k < 3
            ? a[(((n * 4 + z) * 2 + y) * 6 + x) * 3 + k]
            : b[(((n * 2 + half(z)) + half(y)) * 3 + half(x)) * 2 + k - 3],
        );
      });
      return out;
    },
  },
  {
    name: "normalise() of volumes",
    shapes: [[2, 3, 2, 2, 3]],
    op: (x) => volumes.normalise(x as tf.Tensor4D, { slope: 0.2 }),
    oracle: (x) =>
      x.map((value, i) => {
        const [sample, channel] = [Math.floor(i / 36), i % 3];
        const own = x.filter((_, j) => Math.floor(j / 36) === sample && j % 3 === channel);
        const mean = own.reduce((a, b) => a + b) / 12;
        const variance = own.reduce((sum, other) => sum + (other - mean) ** 2, 0) / 12;
        const normal = (value - mean) / Math.sqrt(variance + 1e-5);
        return normal > 0 ? normal : 0.2 * normal;
      }),
  },
  {
    name: "convolve() of volumes",
    shapes: [[1, 3, 2, 3, 2], [3, 3, 6, 2]],
    op: (x, filter) => volumes.convolve(x as tf.Tensor4D, filter as tf.Tensor4D, { padding: 1 }),
    oracle: (x, filter) => {
      const out: Values = [];
      everyVoxel([1, 3, 2, 3, 2], ([, z, y, x_, k]) => {
        let sum = 0;
        everyVoxel([1, 3, 3, 3, 2], ([, dz, dy, dx, c]) => {
          const [sz, sy, sx] = [z + dz - 1, y + dy - 1, x_ + dx - 1];
          if (sz < 0 || sy < 0 || sx < 0 || sz >= 3 || sy >= 2 || sx >= 3) return;
          sum += x[((sz * 2 + sy) * 3 + sx) * 2 + c] * filter[((dy * 3 + dx) * 6 + dz * 2 + c) * 2 + k];
        });
        out.push(sum);
      });
      return out;
    },
  },
];
testCases(cases);

Deno.test("maxPool() of a volume gives the gradient to the first of equal values", async () => {
  for (const { options } of backends) {
    await startBackend(options);
    const x = tf.ones([1, 2, 2, 2, 1]);
    const gradient = tf.grad((x) => tf.sum(volumes.maxPool(x as tf.Tensor4D)))(x);
    assert.deepEqual(await read([gradient]), [1, 0, 0, 0, 0, 0, 0, 0]);
    x.dispose();
  }
});

Deno.test("a volume gives the same bits in any batch", async () => {
  await startBackend();
  const shape = [1, 6, 8, 12, 8];
  const [one, other] = ["one", "other"].map((name) => volume(normals(name, sizeOf(shape)), shape));
  const filter = tf.tensor4d(normals("filter", 9 * 24 * 8), [3, 3, 24, 8]);
  const layer = (x: tf.Tensor4D) =>
    volumes.normalise(volumes.convolve(x, filter, { padding: 1 }), { slope: 0.2 });
  const together = tf.tidy(() => layer(tf.concat([one, other])));
  const apart = tf.tidy(() => tf.concat([layer(one), layer(other)]));
  assert.deepEqual(await read([together]), await read([apart]));
  tf.dispose([one, other, filter]);
});

Deno.test("ops on volumes refuse what does not fit, and say what would", async () => {
  await startBackend();
  tf.tidy(() => {
    const x = volume(normals("refused", 3 * 4 * 4 * 2), [1, 3, 4, 4, 2]);
    const filter = (shape: [number, number, number, number]) => tf.zeros<tf.Rank.R4>(shape);
    assert.throws(() => volumes.convolve(x, filter([3, 3, 5, 2])), /2 channels.*kd·2/s);
    assert.throws(() => volumes.convolve(x, filter([4, 4, 8, 2])), /4 slices does not fit a volume of 3/);
    assert.throws(() => volumes.averagePool(x), /cannot halve 3 slices/);
    assert.throws(() => volumes.maxPool(x), /cannot halve 3 slices/);
    assert.throws(
      () => volumes.convolve(volume([1], [1, 1, 1]), filter([3, 3, 2, 2])),
      /neither of images nor/,
    );
  });
});
