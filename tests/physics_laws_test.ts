import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { transformAxes } from "../core/fourier.ts";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { compose } from "../physics/compose.ts";
import { convolution } from "../physics/convolution.ts";
import { centreCropOf } from "../physics/crop.ts";
import { maskedFourier } from "../physics/fourier.ts";
import type { Operator, Shape } from "../physics/operator.ts";
import { rayTransform } from "../physics/ray_transform.ts";
import { scaledOperator } from "../physics/scale.ts";
import { always, fc } from "./laws.ts";

await startBackend();

const drawn = (name: string, shape: Shape) => {
  const rng = stream(name);
  return Float32Array.from({ length: sizeOf(shape) }, () => rng.normal());
};

const side = fc.integer({ min: 1, max: 18 });
const odd = fc.constantFrom(1, 3, 5);

/** Any linear operator of the suite, of any size. */
const operators: Readonly<Record<string, fc.Arbitrary<Operator>>> = {
  maskedFourier: fc.tuple(side, fc.integer({ min: 1, max: 40 })).chain(([height, width]) =>
    fc.uniqueArray(fc.nat({ max: width - 1 }), { minLength: 1 }).map((lines) =>
      maskedFourier(height, width, lines.sort((a, b) => a - b))
    )
  ),
  rayTransform: fc.record({
    size: fc.tuple(side, side),
    views: fc.integer({ min: 1, max: 12 }),
    bins: side,
    detector: fc.constantFrom("circle" as const, "square" as const),
  }).map(rayTransform),
  convolution: fc.tuple(side, side, odd, odd, fc.constantFrom("sums" as const, "fourier" as const)).map(
    ([height, width, h, w, by]) => {
      const kernel = { shape: [h, w, 1], data: drawn(`kernel ${h} ${w}`, [h, w, 1]) };
      const imageShape = [height + h, width + w, 1];
      const measurementShape = [height, width, 1];
      return convolution({ imageShape, measurementShape, kernelShape: kernel.shape }, kernel, { by });
    },
  ),
  "a cropped and scaled one": fc.tuple(side, side, fc.nat({ max: 4 }), fc.nat({ max: 4 })).map(
    ([height, width, below, beside]) => {
      const lines = Array.from({ length: Math.ceil((width + beside) / 2) }, (_, i) => 2 * i);
      const whole = [height + below, width + beside, 2];
      return compose(
        scaledOperator(maskedFourier(whole[0], whole[1], lines), 0.37),
        centreCropOf(whole, height, width),
      );
    },
  ),
};

for (const [name, kind] of Object.entries(operators)) {
  Deno.test(`${name} of any size is linear, and its adjoint its partner`, () =>
    always([kind], (A) => {
      const [x, z] = ["x", "z"].map((name) => drawn(name, A.imageShape));
      const y = drawn("y", A.measurementShape);
      const apply = (values: Float32Array) =>
        tf.tidy(() => A.forward(tf.tensor(values, [1, ...A.imageShape])).dataSync());
      const [Ax, Az] = [apply(x), apply(z)];
      const sum = apply(x.map((value, i) => value - 2 * z[i]));
      const size = Math.sqrt(inner(Ax, Ax)) + Math.sqrt(inner(Az, Az)) + 1;
      sum.forEach((value, i) => assert.ok(Math.abs(value - Ax[i] + 2 * Az[i]) < 1e-4 * size));

      const back = tf.tidy(() => A.adjoint(tf.tensor(y, [1, ...A.measurementShape])).dataSync());
      const scale = Math.sqrt(inner(Ax, Ax) * inner(y, y)) + 1;
      assert.ok(Math.abs(inner(Ax, y) - inner(x, back)) < 1e-4 * scale);
    }, 40));
}

Deno.test("the Fourier transform of any size is undone by its inverse and keeps the norm", () =>
  always([fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 3 })], (shape) => {
    const values = Float64Array.from(drawn("fourier", [...shape, 2]));
    const copy = values.slice();
    transformAxes(copy, shape, false);
    assert.ok(Math.abs(inner(copy, copy) / inner(values, values) - 1) < 1e-12);
    transformAxes(copy, shape, true);
    copy.forEach((value, i) => assert.ok(Math.abs(value - values[i]) < 1e-11));
  }, 40));

function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
