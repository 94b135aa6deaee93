/**
 * Sums along lines: against ASTRA's, against the definition composed of stock ops on `cpu`, and the laws that
 * make the two ops each other's adjoint and gradient.
 */

import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { lineSums, type ParallelLines, spreadAlongLines } from "../engine/lines.ts";
import { input, Replay } from "../engine/replay.ts";
// Made by physics_rays.py, which says how.
import golden from "./golden/physics_rays.json" with { type: "json" };

await startBackend();

type Shape = [number, number, number, number];

function values(name: string, shape: readonly number[]): Float32Array {
  const rng = stream(`engine-lines/${name}`);
  return Float32Array.from({ length: sizeOf(shape) }, () => rng.normal());
}

function noise(name: string, shape: Shape): tf.Tensor4D {
  return tf.tensor4d(values(name, shape), shape);
}

function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);
}

function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

function turns(views: number, from = 0, whole = Math.PI): number[] {
  return Array.from({ length: views }, (_, view) => from + view * whole / views);
}

/**
 * Odd and even sizes, lines closer and wider apart than pixels, angles that mirror each other and that do
 * not.
 */
const geometries: readonly ParallelLines[] = [
  { height: 8, width: 8, angles: turns(8), bins: 12, spacing: 1 },
  { height: 9, width: 9, angles: turns(7, 0.3), bins: 13, spacing: 0.7 },
  { height: 7, width: 12, angles: turns(6), bins: 9, spacing: 2.3 },
  { height: 12, width: 7, angles: turns(12, -5, 2 * Math.PI), bins: 25, spacing: 0.4 },
  { height: 5, width: 5, angles: [0.1, 0.1, 0.1 + Math.PI], bins: 3, spacing: 6 },
  { height: 1, width: 6, angles: [0, Math.PI / 4, Math.PI / 2], bins: 1, spacing: 1 },
  { height: 18, width: 17, angles: turns(30), bins: 24, spacing: 1 },
].flatMap((lines) => [{ ...lines, interpolate: "pixels" }, { ...lines, interpolate: "bins" }]);

const shapes = ({ height, width, angles, bins }: ParallelLines, n = 2, c = 1): [Shape, Shape] => [
  [n, height, width, c],
  [n, angles.length, bins, c],
];

function title({ height, width, angles, bins, spacing, interpolate }: ParallelLines): string {
  return `${angles.length} x ${bins} lines, ${spacing} px apart, over ${height}x${width}, between ${interpolate}`;
}

const backends = [
  { title: "wasm", options: { name: "wasm" } },
  { title: "wasm, portable", options: { name: "wasm", portable: true } },
  { title: "cpu", options: { name: "cpu" } },
];

for (const { title: where, options } of backends) {
  Deno.test(`lineSums() has the values of ASTRA's Joseph projector (${where})`, async () => {
    await startBackend(options);
    for (const { height, width, angles, bins, spacing, image, sums } of golden.joseph) {
      const x = tf.tensor4d(image, [1, height, width, 1]);
      const y = lineSums(x, { height, width, angles, bins, spacing, interpolate: "pixels" });
      // ASTRA's matrix and the stored numbers have seven digits.
      assert.ok(farthest(await y.data(), sums) < 1e-5, `${height}x${width}`);
    }
  });

  for (const lines of geometries) {
    Deno.test(`${title(lines)}: the two ops are adjoint, and each other's gradient, twice (${where})`, async () => {
      await startBackend(options);
      const [X, Y] = shapes(lines, 2, 3);
      const [x, y] = [noise("x", X), noise("y", Y)];
      const [sums, spread] = [lineSums(x, lines), spreadAlongLines(y, lines)];
      const [forward, backward] = [
        inner(await sums.data(), await y.data()),
        inner(await x.data(), await spread.data()),
      ];
      const size = Math.sqrt(
        inner(await sums.data(), await sums.data()) * inner(await y.data(), await y.data()),
      );
      assert.ok(size > 0.1, "a law that zero fulfils tells nothing");
      assert.ok(Math.abs(forward - backward) < 1e-6 * size, `${forward} and ${backward}`);

      // ½‖Ax‖² has the gradient AᵀAx, and along v the second derivative AᵀAv; and so for Aᵀ.
      const half = (A: (x: tf.Tensor4D) => tf.Tensor) => (x: tf.Tensor) =>
        tf.mul(0.5, tf.sum(tf.square(A(x as tf.Tensor4D)))) as tf.Scalar;
      for (
        const [A, transposed, at, along] of [
          [lineSums, spreadAlongLines, x, noise("v", X)],
          [spreadAlongLines, lineSums, y, noise("w", Y)],
        ] as const
      ) {
        const slope = tf.grad(half((x) => A(x, lines)));
        const expected = transposed(A(at, lines), lines);
        const largest = Math.max(...(await expected.data()).map(Math.abs));
        assert.ok(farthest(await slope(at).data(), await expected.data()) < 2e-6 * largest);
        const curved = tf.grad((x) => tf.sum(tf.mul(slope(x), along)) as tf.Scalar)(at);
        const ofAlong = transposed(A(along, lines), lines);
        assert.ok(farthest(await curved.data(), await ofAlong.data()) < 2e-6 * largest);
      }
    });
  }
}

/** So large that the composition has it in several parts. */
const large: ParallelLines = {
  ...{ height: 3, width: 1500, angles: [0.2, 1.5], bins: 1400, spacing: 1.1 },
  interpolate: "pixels",
};

for (const portable of [false, true]) {
  for (const lines of [...geometries, large]) {
    Deno.test(`${title(lines)}: wasm ${portable ? "(portable) " : ""}gives what the definition says`, async () => {
      const both = async (options: { name: string; portable?: boolean }) => {
        await startBackend(options);
        const [X, Y] = shapes(lines);
        const results = [lineSums(noise("x", X), lines), spreadAlongLines(noise("y", Y), lines)];
        return await Promise.all(results.map((tensor) => tensor.data()));
      };
      const expected = await both({ name: "cpu" });
      const actual = await both({ name: "wasm", portable });
      for (const [i, result] of actual.entries()) {
        const largest = Math.max(...expected[i].map(Math.abs));
        assert.ok(farthest(result, expected[i]) < 3e-6 * largest, `${i}`);
      }
    });
  }
}

Deno.test("lines through a constant image sum to their lengths in it, between pixels", async () => {
  await startBackend();
  const lines: ParallelLines = {
    ...{ height: 40, width: 40, angles: turns(24), bins: 21, spacing: 1.3 },
    interpolate: "pixels",
  };
  const sums = await lineSums(tf.ones([1, 40, 40, 1]), lines).data();
  lines.angles.forEach((angle, view) => {
    for (let bin = 0; bin < 21; bin++) {
      // From where it enters the square to where it leaves it, along (−sin, cos).
      const t = (bin - 10) * 1.3;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const ends = [[t * cos, -sin], [t * sin, cos]].map(([from, per]) =>
        [-20, 20].map((edge) => (edge - from) / per).sort((a, b) => a - b)
      );
      const length = Math.min(...ends.map(([, end]) => end)) - Math.max(...ends.map(([start]) => start));
      assert.ok(Math.abs(sums[view * 21 + bin] - length) < 0.35, `${sums[view * 21 + bin]} of ${length}`);
    }
  });
});

Deno.test("spreadAlongLines() of ones gives every pixel inside as many as there are views, between bins", async () => {
  await startBackend();
  const lines: ParallelLines = {
    ...{ height: 21, width: 20, angles: turns(9), bins: 60, spacing: 0.8 },
    interpolate: "bins",
  };
  const spread = await spreadAlongLines(tf.ones([1, 9, 60, 1]), lines).data();
  assert.ok(spread.every((value) => Math.abs(value * 0.8 - 9) < 1e-5));
});

Deno.test("the ops take a batch and channels bit by bit as they take each plane", async () => {
  await startBackend();
  for (const lines of geometries.slice(0, 4)) {
    const [X, Y] = shapes(lines, 3, 2);
    const plane = (tensor: tf.Tensor4D) => tf.slice(tensor, [1, 0, 0, 1], [1, -1, -1, 1]);
    const [x, y] = [noise("x", X), noise("y", Y)];
    for (const [op, given] of [[lineSums, x], [spreadAlongLines, y]] as const) {
      assert.deepEqual(await op(plane(given), lines).data(), await plane(op(given, lines)).data());
    }
  }
});

Deno.test("both ops and their gradients are replayed with the same bits", async () => {
  await startBackend();
  const lines = geometries[geometries.length - 2];
  const [X, Y] = shapes(lines);
  const y = noise("y", Y);
  const loss = (x: tf.Tensor) =>
    tf.sum(tf.square(spreadAlongLines(tf.sub(lineSums(x as tf.Tensor4D, lines), y), lines))) as tf.Scalar;
  using replay = new Replay("along lines");
  let x: tf.Tensor4D;
  for (let run = 0; run < 5; run++) {
    x = noise(`run ${run}`, X);
    const replayed = replay.run([], () => tf.grad(loss)(input(() => x)));
    assert.deepEqual(await replayed.data(), await tf.grad(loss)(x).data());
  }
  assert.deepEqual(replay.counts, { tape: 0, recorded: 2, replayed: 3 });
});

Deno.test("sums along lines refuse what does not fit, and say what would", async () => {
  await startBackend();
  const lines: ParallelLines = {
    ...{ height: 4, width: 5, angles: [0, 1], bins: 3, spacing: 1 },
    interpolate: "pixels",
  };
  const x = tf.zeros([1, 4, 5, 1]) as tf.Tensor4D;
  assert.throws(
    () => lineSums(tf.zeros([1, 5, 4, 1]), lines),
    /\[1,5,4,1\][^]*give float32 \[batch, 4, 5, ch/,
  );
  assert.throws(() => spreadAlongLines(x, lines), /give float32 \[batch, 2, 3, channels\]/);
  assert.throws(() => lineSums(x, { ...lines, angles: [] }), /0 views/);
  assert.throws(() => lineSums(x, { ...lines, angles: [NaN] }), /give finite angles/);
  assert.throws(() => lineSums(x, { ...lines, bins: 2.5 }), /2\.5 bins/);
  assert.throws(() => lineSums(x, { ...lines, spacing: 0 }), /0 pixels apart/);
});
