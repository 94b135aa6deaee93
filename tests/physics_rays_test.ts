import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { input, Replay } from "../engine/replay.ts";
import { filterNames } from "../physics/filtered_back_projection.ts";
import { identity } from "../physics/identity.ts";
import { withNorm } from "../physics/norm.ts";
import type { Operator, Shape } from "../physics/operator.ts";
import { type RayGeometry, rayTransform } from "../physics/ray_transform.ts";
import { scaledOperator } from "../physics/scale.ts";
// Made by physics_rays.py, which says how.
import golden from "./golden/physics_rays.json" with { type: "json" };

await startBackend();

function noise(name: string, shape: Shape): tf.Tensor {
  const rng = stream(name);
  return tf.tensor(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()), [...shape]);
}

async function inner(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const [values, others] = [Float64Array.from(await a.data()), await b.data()];
  return values.reduce((sum, value, i) => sum + value * others[i], 0);
}

async function far(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const [values, others] = [Float64Array.from(await a.data()), await b.data()];
  return values.reduce((most, value, i) => Math.max(most, Math.abs(value - others[i])), 0);
}

/** Calls `visit` with each pixel's index and place in the field [−1, 1]². */
function pixels(size: number, visit: (index: number, x: number, y: number) => void): void {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      visit(row * size + column, (2 * column + 1) / size - 1, 1 - (2 * row + 1) / size);
    }
  }
}

/** A disc as an image, its edge as wide as a pixel. */
function disc(size: number, [x0, y0]: readonly [number, number], radius: number): tf.Tensor {
  const data = new Float32Array(size * size);
  pixels(size, (index, x, y) => {
    const inside = (radius - Math.hypot(x - x0, y - y0)) * size / 2;
    data[index] = Math.min(1, Math.max(0, inside + 0.5));
  });
  return tf.tensor(data, [1, size, size, 1]);
}

/** Its line integrals: chords. */
function chords(
  { views, bins }: RayGeometry,
  span: number,
  [x0, y0]: readonly [number, number],
  radius: number,
): Float32Array {
  return Float32Array.from({ length: views * bins }, (_, i) => {
    const angle = Math.floor(i / bins) * Math.PI / views;
    const t = -span + (2 * (i % bins) + 1) * span / bins;
    const away = t - x0 * Math.cos(angle) - y0 * Math.sin(angle);
    return 2 * Math.sqrt(Math.max(0, radius * radius - away * away));
  });
}

const geometries: readonly RayGeometry[] = [
  { size: [9, 12], views: 10, bins: 17 },
  { size: [16, 16], views: 7, bins: 16, detector: "circle", filter: "hann" },
  { size: [11, 11], views: 12, bins: 40, filter: "shepp-logan" },
];

for (const geometry of geometries) {
  const A = rayTransform(geometry);
  const where = `rayTransform() of [${A.imageShape}] to [${A.measurementShape}]`;

  Deno.test(`${where} and its adjoint are partners`, async () => {
    const [x, y] = [noise("x", [2, ...A.imageShape]), noise("y", [2, ...A.measurementShape])];
    const [forward, backward] = [await inner(A.forward(x), y), await inner(x, A.adjoint(y))];
    assert.ok(Math.abs(forward) > 1e-2, "a law that zero fulfils tells nothing");
    assert.ok(Math.abs(forward - backward) < 1e-5, `${forward} and ${backward}`);
  });

  Deno.test(`${where}, its adjoint and its approximate inverse are linear, and owe their caller one tensor`, async () => {
    const maps: [(x: tf.Tensor) => tf.Tensor, Shape][] = [
      [A.forward, A.imageShape],
      [A.adjoint, A.measurementShape],
      [A.approximateInverse!, A.measurementShape],
    ];
    for (const [map, shape] of maps) {
      const [a, b] = [noise("a", [1, ...shape]), noise("b", [1, ...shape])];
      const both = map(tf.add(tf.mul(a, 3), b));
      assert.ok(await far(both, tf.add(tf.mul(map(a), 3), map(b))) < 2e-5);
      const before = tf.memory().numTensors;
      map(a);
      assert.equal(tf.memory().numTensors, before + 1);
      assert.equal(a.isDisposed, false);
    }
  });

  Deno.test(`${where}: gradients are adjoints, also of the approximate inverse`, async () => {
    const [x, y] = [noise("x", [1, ...A.imageShape]), noise("y", [1, ...A.measurementShape])];
    const ofForward = tf.grad((x: tf.Tensor) => tf.sum<tf.Scalar>(tf.mul(A.forward(x), y)))(x);
    assert.ok(await far(ofForward, A.adjoint(y)) < 1e-6);
    const back = (y: tf.Tensor) => tf.sum<tf.Scalar>(tf.mul(A.approximateInverse!(y), x));
    const ofInverse = tf.grad(back)(y);
    const along = noise("along", [1, ...A.measurementShape]);
    const expected = await inner(A.approximateInverse!(along), x);
    assert.ok(Math.abs(await inner(ofInverse, along) - expected) < 1e-4 * Math.abs(expected) + 1e-4);
  });

  Deno.test(`${where}: both of its norms are bounds, and withNorm()'s is within 1 %`, async () => {
    let x = noise("norm", [1, ...A.imageShape]);
    let square = 0;
    for (let i = 0; i < 60; i++) {
      x = A.adjoint(A.forward(x));
      square = Math.sqrt(await inner(x, x));
      x = tf.div(x, square);
    }
    const truth = Math.sqrt(square);
    const { norm } = await withNorm(A);
    assert.ok(A.norm! > truth, `${A.norm} bounds ${truth}`);
    assert.ok(norm! > truth && norm! < 1.01 * truth, `${norm} bounds ${truth}`);
    const scaled = scaledOperator({ ...A, norm: norm! }, 1 / norm!);
    assert.ok(Math.abs(scaled.norm! - 1) < 1e-6);
    const y = noise("y", [1, ...A.measurementShape]);
    assert.ok(await far(tf.mul(scaled.adjoint(y), norm!), A.adjoint(y)) < 1e-5);
    assert.ok(await far(scaled.approximateInverse!(tf.div(y, norm!)), A.approximateInverse!(y)) < 1e-4);
  });
}

Deno.test("the ray transform of a disc anywhere are its chords, but for the pixels at its edge", async () => {
  const geometry = { size: [64, 64], views: 30, bins: 91 } as const;
  const A = rayTransform(geometry);
  for (const [centre, radius] of [[[0, 0], 0.8], [[0.3, 0.45], 0.4], [[-0.6, 0.1], 0.2]] as const) {
    const sinogram = await A.forward(disc(64, centre, radius)).data();
    const truth = chords(geometry, Math.SQRT2, centre, radius);
    const errors = Array.from(sinogram, (value, i) => Math.abs(value - truth[i]));
    // A pixel is 0.031 half-widths.
    assert.ok(Math.max(...errors) < 0.15, `${Math.max(...errors)}`);
    assert.ok(errors.reduce((a, b) => a + b) / errors.length < 0.004);
  }
});

Deno.test("the ray transform has scikit-image's values, but for its interpolation", async () => {
  const { size, views, image, sinogram } = golden.radon;
  const A = rayTransform({ size: [size, size], views, bins: size, detector: "circle" });
  const y = tf.mul(A.forward(tf.tensor(image, [1, size, size, 1])), size / 2);
  // radon() turns the image by bilinear interpolation and adds columns, which blurs it a little; values reach
  // 17.
  assert.ok(await far(y, tf.tensor(sinogram, y.shape)) < 0.15);
});

Deno.test("filtered back-projection has scikit-image's values inside the circle", async () => {
  const { size, views } = golden.radon;
  const sinogram = tf.tensor(golden.iradon.sinogram.map((value) => value * 2 / size), [1, views, size, 1]);
  // Values reach 2.3. Its Hann window lies a sample off the middle, and is not symmetric.
  const tolerance = { "ram-lak": 2e-5, "shepp-logan": 1e-4, "hann": 5e-3 };
  for (const filter of filterNames) {
    const A = rayTransform({ size: [size, size], views, bins: size, detector: "circle", filter });
    const image = await A.approximateInverse!(sinogram).data();
    pixels(size, (index, x, y) => {
      // Beyond the last bin's middle it takes 0, and we what is left of the last bin.
      if (Math.hypot(x, y) > 0.95) return;
      const away = Math.abs(image[index] - golden.iradon.images[filter][index]);
      assert.ok(away < tolerance[filter], `${filter}, pixel ${index}: ${away}`);
    });
  }
});

Deno.test("filtered back-projection of a disc's chords is the disc: 1 inside, 0 outside", async () => {
  const geometry = { size: [64, 64], views: 180, bins: 128 } as const;
  const [centre, radius] = [[0.1, -0.2], 0.6] as const;
  const sinogram = tf.tensor(chords(geometry, Math.SQRT2, centre, radius), [1, 180, 128, 1]);
  for (const filter of filterNames) {
    const image = await rayTransform({ ...geometry, filter }).approximateInverse!(sinogram).data();
    const [within, beyond]: [number[], number[]] = [[], []];
    pixels(64, (index, x, y) => {
      const distance = Math.hypot(x - centre[0], y - centre[1]);
      if (distance < radius - 0.1) within.push(image[index]);
      if (distance > radius + 0.1) beyond.push(image[index]);
    });
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    assert.ok(Math.abs(mean(within) - 1) < 2e-4, `${filter}: ${mean(within)} inside`);
    assert.ok(Math.abs(mean(beyond)) < 2e-4, `${filter}: ${mean(beyond)} outside`);
    assert.ok(within.every((value) => Math.abs(value - 1) < 5e-3), filter);
  }
});

Deno.test("filtered back-projection and the operator are replayed with the same bits", async () => {
  const A = rayTransform(geometries[0]);
  const loss = (y: tf.Tensor) => {
    const error = tf.sub(A.forward(A.approximateInverse!(y)), y);
    return tf.sum<tf.Scalar>(tf.square(A.adjoint(error)));
  };
  using replay = new Replay("ray transform");
  let y: tf.Tensor;
  for (let run = 0; run < 5; run++) {
    y = noise(`run ${run}`, [2, ...A.measurementShape]);
    const replayed = replay.run([], () => tf.grad(loss)(input(() => y)));
    assert.deepEqual(await replayed.data(), await tf.grad(loss)(y).data());
  }
  assert.equal(replay.counts.replayed, 3);
});

Deno.test("the identity gives back what it is given, as a tensor of its own", async () => {
  const A: Operator = identity([4, 5, 1]);
  const x = noise("x", [2, 4, 5, 1]);
  for (const map of [A.forward, A.adjoint, A.approximateInverse!]) {
    const same = map(x);
    assert.equal(await far(same, x), 0);
    same.dispose();
    assert.equal(x.isDisposed, false);
  }
  assert.throws(() => A.forward(noise("x", [2, 5, 4, 1])), /give \[batch, 4, 5, 1\]/);
});

Deno.test("the ray transform refuses what it cannot be made of or applied to, and says why", () => {
  assert.throws(() => rayTransform({ size: [8, 8], views: 0, bins: 4 }), /views cannot be 0/);
  assert.throws(() => rayTransform({ size: [8.5, 8], views: 3, bins: 4 }), /height cannot be 8\.5/);
  const A = rayTransform({ size: [8, 8], views: 3, bins: 4 });
  assert.throws(() => A.forward(noise("x", [1, 8, 9, 1])), /give \[batch, 8, 8, 1\]/);
  assert.throws(() => A.approximateInverse!(noise("y", [1, 4, 3, 1])), /give \[batch, 3, 4, 1\]/);
});
