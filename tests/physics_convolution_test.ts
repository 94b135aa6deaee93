import * as tf from "@tensorflow/tfjs-core";
import assert from "node:assert/strict";
import { sizeOf } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { input, Replay } from "../engine/replay.ts";
import { convolution, convolutionForm } from "../physics/convolution.ts";
import type { Shape } from "../physics/operator.ts";
// Made by physics_convolution.py, which says how.
import golden from "./golden/physics_convolution.json" with { type: "json" };

await startBackend();

function noise(name: string, shape: Shape): tf.Tensor {
  const rng = stream(name);
  return tf.tensor(Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()), [...shape]);
}

async function inner(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const [values, others] = [Float64Array.from(await a.data()), await b.data()];
  return values.reduce((sum, value, i) => sum + value * others[i], 0);
}

async function far(a: tf.Tensor, b: tf.Tensor | ArrayLike<number>): Promise<number> {
  const values = await a.data<"float32">();
  const others = b instanceof tf.Tensor ? await b.data() : b;
  assert.equal(values.length, others.length);
  return values.reduce((most, value, i) => Math.max(most, Math.abs(value - others[i])), 0);
}

/** What is convolved, by what, and how much of it is kept; even and odd remainders, and kernels like the benchmarks'. */
const geometries: readonly (readonly [image: Shape, kernel: Shape, measurement?: Shape])[] = [
  [[9, 12, 1], [3, 5, 1]],
  [[10, 11, 1], [3, 3, 1], [5, 6, 1]],
  [[7, 7, 1], [7, 7, 1]],
  [[31, 40, 1], [15, 15, 1], [17, 24, 1]],
  [[6, 8, 7, 1], [3, 5, 1, 1]],
  [[9, 8, 10, 1], [5, 3, 3, 1], [3, 5, 6, 1]],
  [[12, 12, 12, 1], [9, 9, 9, 1]],
];

for (const by of ["sums", "fourier"] as const) {
  Deno.test(`convolution by ${by} has the values that SciPy says it has`, async () => {
    for (const { image, kernel, measurement, x, h, y } of golden.cases) {
      const form = convolutionForm([...image, 1], [...kernel, 1], [...measurement, 1], { by });
      const A = convolution(form, { shape: form.kernelShape, data: Float32Array.from(h) }, { by });
      assert.ok(await far(A.forward(tf.tensor(x, [1, ...form.imageShape])), y) < 1e-5, `${image}`);
    }
  });

  for (const [imageShape, kernelShape, measurementShape] of geometries) {
    const form = convolutionForm(imageShape, kernelShape, measurementShape, { by });
    const where = `[${imageShape}] by [${kernelShape}] to [${form.measurementShape}], by ${by}`;
    const h = noise("h", kernelShape);
    const learned = form.operator(() => tf.clone(h));
    const constant = convolution(form, { shape: kernelShape, data: h.dataSync<"float32">() }, { by });
    const x = noise("x", [2, ...imageShape]);
    const y = noise("y", [2, ...form.measurementShape]);
    const size = Math.sqrt(sizeOf(kernelShape) * sizeOf(form.measurementShape));

    Deno.test(`${where}: the convolution and its adjoint are partners`, async () => {
      const [forward, backward] = [await inner(learned.forward(x), y), await inner(x, learned.adjoint(y))];
      assert.ok(Math.abs(forward - backward) < 1e-5 * size, `${forward} and ${backward}`);
      assert.ok(Math.abs(forward) > 1e-3, "a law that zero fulfils tells nothing");
    });

    Deno.test(`${where}: a constant kernel does what a learned one of the same values does`, async () => {
      assert.equal(await far(constant.forward(x), learned.forward(x)), 0);
      assert.equal(await far(constant.adjoint(y), learned.adjoint(y)), 0);
    });

    Deno.test(`${where}: its derivatives are its adjoint, in the image, the measurement and the kernel`, async () => {
      // y ↦ ⟨y, h ∗ x⟩ is linear in each of the three, so differences are exact but for rounding.
      const all = (x: tf.Tensor, h: tf.Tensor) =>
        tf.sum(tf.mul(form.operator(() => tf.clone(h)).forward(x), y)) as tf.Scalar;
      const back = (y: tf.Tensor, h: tf.Tensor) =>
        tf.sum(tf.mul(form.operator(() => tf.clone(h)).adjoint(y), x)) as tf.Scalar;
      const [inX, inH] = tf.grads(all)([x, h]);
      const [inY, inHBack] = tf.grads(back)([y, h]);
      assert.ok(await far(inX, learned.adjoint(y)) < 1e-4);
      assert.ok(await far(inY, learned.forward(x)) < 1e-4);
      const largest = Math.max(...(await inH.data()).map(Math.abs));
      assert.ok(await far(inH, inHBack) < 1e-5 * largest);
      const along = noise("along", kernelShape);
      const moved = await inner(form.operator(() => tf.clone(along)).forward(x), y);
      assert.ok(Math.abs(await inner(inH, along) - moved) < 1e-4 * size);
    });

    Deno.test(`${where}: a batch is taken as each of its images`, async () => {
      const all = imageShape.map(() => -1);
      const second = tf.slice(x, [1, ...all.map(() => 0)], [1, ...all]);
      const alone = constant.forward(second);
      assert.ok(
        await far(tf.slice(constant.forward(x), [1, ...all.map(() => 0)], [1, ...all]), alone) < 1e-6 * size,
      );
    });

    Deno.test(`${where}: nothing is owned that the caller does not own`, () => {
      for (const A of [constant, learned]) {
        tf.dispose([A.forward(x), A.adjoint(y)]);
        const before = tf.memory().numTensors;
        const [there, back] = [A.forward(x), A.adjoint(y)];
        assert.equal(tf.memory().numTensors, before + 2);
        tf.dispose([there, back]);
        assert.deepEqual([x.isDisposed, y.isDisposed, h.isDisposed], [false, false, false]);
      }
    });

    Deno.test(`${where}: its norm is not above Σ|h|`, async () => {
      let image: tf.Tensor = noise("norm", [1, ...imageShape]);
      let norm = 0;
      for (let i = 0; i < 10; i++) {
        image = constant.adjoint(constant.forward(image));
        norm = Math.sqrt(await inner(image, image));
        image = tf.div(image, norm);
      }
      assert.ok(Math.sqrt(norm) > 0.05 * constant.norm! && Math.sqrt(norm) <= constant.norm! * (1 + 1e-5));
    });

    Deno.test(`${where}: a training step is replayed with the same bits`, async () => {
      const kernel = tf.variable(h);
      const operator = form.operator(() => tf.div(tf.exp(kernel), tf.sum(tf.exp(kernel))));
      const loss = (x: tf.Tensor) =>
        tf.sum(tf.square(tf.sub(
          constant.adjoint(constant.forward(x)),
          operator.approximateInverse!(operator.forward(x)),
        ))) as tf.Scalar;
      const step = (x: tf.Tensor) => tf.variableGrads(() => loss(x), [kernel]).grads[kernel.name];
      using replay = new Replay("convolving");
      let batch = x;
      for (let run = 0; run < 4; run++) {
        batch = noise(`run ${run}`, [2, ...imageShape]);
        const replayed = replay.run([], () => step(input(() => batch)));
        assert.deepEqual(await replayed.data(), await step(batch).data());
      }
      assert.equal(replay.counts.replayed, 2);
      kernel.dispose();
    });
  }
}

Deno.test("large kernels are convolved by transforms and small ones by sums, to the same values", async () => {
  for (const side of [11, 13]) {
    const form = convolutionForm([40, 42, 1], [side, side, 1]);
    const kernel = { shape: form.kernelShape, data: noise("h", form.kernelShape).dataSync<"float32">() };
    const x = noise("x", [3, 40, 42, 1]);
    const [sums, fourier] = (["sums", "fourier"] as const).map((by) =>
      convolution(form, kernel, { by }).forward(x)
    );
    assert.ok(await far(sums, fourier) < 1e-4);
    const chosen = convolution(form, kernel).forward(x);
    assert.equal(await far(chosen, side === 11 ? sums : fourier), 0);
    assert.notEqual(await far(sums, fourier), 0);
  }
});

Deno.test("a kernel of one bright pixel in the middle gives the middle of the image", async () => {
  const form = convolutionForm([7, 8, 1], [3, 5, 1], [3, 2, 1]);
  const data = new Float32Array(15);
  data[7] = 1;
  const x = noise("x", [1, 7, 8, 1]);
  const y = convolution(form, { shape: form.kernelShape, data }).forward(x);
  assert.equal(await far(y, tf.slice(x, [0, 2, 3, 0], [1, 3, 2, 1])), 0);
});

Deno.test("a constant image stays constant to its borders under a kernel of sum 1, for none is made up", async () => {
  const form = convolutionForm([20, 20, 1], [5, 5, 1]);
  const A = convolution(form, { shape: [5, 5, 1], data: new Float32Array(25).fill(1 / 25) });
  assert.ok(await far(A.forward(tf.ones([1, 20, 20, 1])), new Float32Array(256).fill(1)) < 1e-6);
  assert.ok(Math.abs(A.norm! - 1) < 1e-6);
});

Deno.test("convolution gives on cpu what it gives on wasm", async () => {
  const results = async () => {
    const form = convolutionForm([9, 8, 10, 1], [5, 3, 3, 1], [3, 5, 6, 1]);
    const A = form.operator(() => noise("h", form.kernelShape));
    const y = A.forward(noise("x", [1, ...form.imageShape]));
    return [...await y.data(), ...await A.adjoint(y).data()];
  };
  const here = await results();
  await startBackend({ name: "cpu" });
  try {
    const there = await results();
    assert.ok(here.every((value, i) => Math.abs(value - there[i]) < 1e-3));
  } finally {
    await startBackend();
  }
});

Deno.test("convolution refuses what does not belong together, and says what would", () => {
  assert.throws(() => convolutionForm([8, 8, 1], [4, 3, 1]), /\[4,3,1\] has no middle pixel[^]*odd/);
  assert.throws(() => convolutionForm([8, 8, 1], [3, 3, 1], [7, 6, 1]), /images of at least \[9,8,1\]/);
  assert.throws(() => convolutionForm([8, 8, 1], [9, 3, 1]), /the measurement \[0,6,1\]/);
  assert.throws(() => convolutionForm([8, 8, 2], [3, 3, 1]), /the image \[8,8,2\][^]*\[height, width, 1\]/);
  assert.throws(() => convolutionForm([8, 8, 1], [3, 3, 3, 1]), /the kernel \[3,3,3,1\]/);
  const form = convolutionForm([8, 8, 1], [3, 3, 1]);
  const kernel = { shape: [5, 3, 1], data: new Float32Array(15) };
  assert.throws(() => convolution(form, kernel), /a kernel \[5,3,1\][^]*give a kernel \[3,3,1\]/);
  const A = form.operator(() => tf.zeros([3, 1, 1]));
  assert.throws(() => A.forward(tf.zeros([1, 8, 8, 1])), /give a kernel \[3,3,1\]/);
  assert.throws(() => A.forward(tf.zeros([1, 9, 8, 1])), /give \[batch, 8, 8, 1\]/);
});
