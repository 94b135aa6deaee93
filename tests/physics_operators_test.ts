import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { multiCoilFourier } from "../physics/coils.ts";
import { compose } from "../physics/compose.ts";
import { centreCropOf } from "../physics/crop.ts";
import { maskedFourier } from "../physics/fourier.ts";
import { drawLines } from "../physics/masks.ts";
import type { Operator, Shape } from "../physics/operator.ts";
import { splitError } from "../physics/row_space.ts";
// Made by physics_fourier.py, which says how.
import golden from "./golden/physics_fourier.json" with { type: "json" };

await startBackend();

/** A batch of standard normal values. */
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

function someLines(width: number): readonly number[] {
  return drawLines(width, { kind: "random", acceleration: 3, acs: 0.1 }, stream(`lines ${width}`));
}

/** Sensitivities of three coils with Σ|S|² = 1. */
function someSensitivities(height: number, width: number) {
  const rng = stream("sensitivities");
  const data = Float32Array.from({ length: height * width * 6 }, () => rng.normal());
  for (let at = 0; at < data.length; at += 6) {
    const pixel = data.subarray(at, at + 6);
    const norm = Math.sqrt(pixel.reduce((sum, value) => sum + value * value, 0));
    pixel.forEach((value, i) => pixel[i] = value / norm);
  }
  return { shape: [height, width, 6], data };
}

const operators: readonly Operator[] = [
  maskedFourier(6, 8, someLines(8)),
  maskedFourier(5, 21, someLines(21)),
  multiCoilFourier(someSensitivities(7, 12), someLines(12)),
  centreCropOf([7, 8, 2], 4, 5),
  compose(maskedFourier(9, 12, someLines(12)), centreCropOf([9, 12, 2], 5, 7)),
];

for (const A of operators) {
  const where = `${A.name} on [${A.imageShape}]`;

  Deno.test(`${where} and its adjoint are partners`, async () => {
    const x = noise("x", [2, ...A.imageShape]);
    const y = noise("y", [2, ...A.measurementShape]);
    const [forward, backward] = [await inner(A.forward(x), y), await inner(x, A.adjoint(y))];
    assert.ok(Math.abs(forward - backward) < 1e-5 * sizeOf(x.shape), `${forward} and ${backward}`);
    assert.ok(Math.abs(forward) > 1e-3, "a law that zero fulfils tells nothing");
  });

  Deno.test(`${where} has its adjoint as gradient, and the adjoint the operator`, async () => {
    const x = noise("x", [2, ...A.imageShape]);
    const y = noise("y", [2, ...A.measurementShape]);
    const ofForward = tf.grad((x: tf.Tensor) => tf.sum<tf.Scalar>(tf.mul(A.forward(x), y)))(x);
    const ofAdjoint = tf.grad((y: tf.Tensor) => tf.sum<tf.Scalar>(tf.mul(A.adjoint(y), x)))(y);
    assert.ok(await far(ofForward, A.adjoint(y)) < 1e-5);
    assert.ok(await far(ofAdjoint, A.forward(x)) < 1e-5);
  });

  Deno.test(`${where} takes a batch as it takes each of its images`, async () => {
    const x = noise("x", [3, ...A.imageShape]);
    const alone = tf.slice(x, [1, 0, 0, 0], [1, -1, -1, -1]);
    assert.ok(await far(tf.slice(A.forward(x), [1, 0, 0, 0], [1, -1, -1, -1]), A.forward(alone)) < 1e-6);
  });

  Deno.test(`${where} has no larger norm than 1`, async () => {
    let x = noise("norm", [1, ...A.imageShape]);
    let norm = 0;
    for (let i = 0; i < 40; i++) {
      x = A.adjoint(A.forward(x));
      norm = Math.sqrt(await inner(x, x));
      x = tf.div(x, norm);
    }
    assert.ok(norm > 0.5 && norm < 1 + 1e-5, `‖AᴴA‖ = ${norm}`);
  });

  Deno.test(`${where} owns nothing that its caller does not`, () => {
    const x = noise("x", [1, ...A.imageShape]);
    tf.dispose([A.forward(x)]); // makes the operator's constants
    const before = tf.memory().numTensors;
    const y = A.forward(x);
    assert.equal(tf.memory().numTensors, before + 1);
    tf.dispose([A.adjoint(y), y]);
    assert.equal(tf.memory().numTensors, before);
    assert.equal(x.isDisposed, false);
  });

  Deno.test(`${where} refuses another shape, and says which it takes`, () => {
    const message = new RegExp(`give \\[batch, ${A.imageShape.join(", ")}\\]`);
    assert.throws(() => A.forward(noise("x", A.imageShape)), message);
    assert.throws(() => A.forward(noise("x", [1, 3, 3, 2])), message);
  });

  Deno.test(`${where}: splitError() gives two parts that add up, one measured alike and one not at all`, async () => {
    const e = noise("error", [1, ...A.imageShape]);
    const { seen, unseen } = await splitError(A, e, { steps: 200 });
    const [s, u] = [seen, unseen].map(({ shape, data }) => tf.tensor(data, [1, ...shape]));
    assert.ok(await far(tf.add(s, u), e) < 1e-5);
    const leak = await far(A.forward(u), tf.zeros([1, ...A.measurementShape]));
    assert.ok(leak < 1e-3, `of the unseen part ${leak} is seen`);
    assert.ok(Math.abs(await inner(s, u)) < 1e-2);
  });
}

Deno.test("maskedFourier() and multiCoilFourier() measure what numpy's FFT says", async () => {
  for (const { height, width, coils, lines, image, sensitivities, measurement, adjoint } of golden.cases) {
    const A = coils === 1 ? maskedFourier(height, width, lines) : multiCoilFourier(
      { shape: [height, width, 2 * coils], data: Float32Array.from(sensitivities) },
      lines,
    );
    const x = tf.tensor(image, [1, height, width, 2]);
    const y = tf.tensor(measurement, [1, height, width, 2 * coils]);
    assert.ok(await far(A.forward(x), y) < 5e-6 * coils, `${height}x${width}, ${coils} coils`);
    assert.ok(await far(A.adjoint(y), tf.tensor(adjoint, [1, height, width, 2])) < 5e-6 * coils);
  }
});

Deno.test("maskedFourier() is a projection and its own adjoint", async () => {
  const A = maskedFourier(16, 30, someLines(30));
  const x = noise("x", [1, 16, 30, 2]);
  const once = A.forward(x);
  assert.ok(await far(A.forward(once), once) < 2e-6);
  assert.ok(await far(A.adjoint(x), once) === 0);
});

Deno.test("maskedFourier() of all lines is the identity", async () => {
  const x = noise("x", [1, 5, 9, 2]);
  const all = maskedFourier(5, 9, Array.from({ length: 9 }, (_, line) => line));
  assert.ok(await far(all.forward(x), x) < 1e-6);
});

Deno.test("maskedFourier() gives on cpu what it gives on wasm", async () => {
  const A = maskedFourier(6, 8, someLines(8));
  const x = noise("x", [1, 6, 8, 2]);
  const here = await A.forward(x).data();
  await startBackend({ name: "cpu" });
  try {
    const there = await A.forward(noise("x", [1, 6, 8, 2])).data();
    assert.ok(here.every((value, i) => Math.abs(value - there[i]) < 1e-6));
  } finally {
    await startBackend({ name: "wasm" });
  }
});

Deno.test("splitError() splits exactly in one step where the operator is a projection", async () => {
  const A = maskedFourier(16, 30, someLines(30));
  const e = noise("error", [1, 16, 30, 2]);
  const { seen } = await splitError(A, e, { steps: 1 });
  assert.ok(await far(tf.tensor(seen.data, [1, ...seen.shape]), A.forward(e)) < 2e-6);
});

Deno.test("splitError() finds nothing seen in an image that the operator does not see", async () => {
  const A = maskedFourier(16, 30, someLines(30));
  const x = noise("error", [1, 16, 30, 2]);
  const { seen } = await splitError(A, tf.sub(x, A.forward(x)));
  assert.ok(seen.data.every((value) => Math.abs(value) < 1e-5));
});

Deno.test("the centre crop of its adjoint is the identity, and an odd remainder lies at the end", async () => {
  const crop = centreCropOf([5, 6, 1], 2, 3);
  const y = noise("y", [1, 2, 3, 1]);
  assert.equal(await far(crop.forward(crop.adjoint(y)), y), 0);
  const rows = tf.tensor([0, 1, 2, 3, 4].flatMap((row) => new Array(6).fill(row)), [1, 5, 6, 1]);
  assert.deepEqual([...await crop.forward(rows).data()], [1, 1, 1, 2, 2, 2]);
});

Deno.test("operators refuse what they cannot be made of, and say why", () => {
  assert.throws(() => maskedFourier(8, 8, [0, 8]), /k-space line 8 is not in \[0, 8\)/);
  assert.throws(() => maskedFourier(8, 8, []), /no k-space line is measured/);
  assert.throws(() => centreCropOf([8, 8, 2], 9, 4), /cannot be cut out of \[8, 8\]/);
  assert.throws(
    () => compose(maskedFourier(8, 8, [4]), centreCropOf([9, 8, 2], 4, 4)),
    /"centre-crop" takes \[9,8,2\], and "masked-fourier" gives \[8,8,2\]/,
  );
});
