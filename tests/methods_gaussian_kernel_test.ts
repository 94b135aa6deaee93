import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../engine/backend.ts";
import { l2 } from "../engine/ops.ts";
import { Adam } from "../engine/adam.ts";
import { gaussianKernel } from "../methods/networks/gaussian_kernel.ts";

await startBackend();

const shape = [25, 25, 1];

/** Sum, and the standard deviations of a kernel's rows and columns. */
function momentsOf(kernel: tf.Tensor): { sum: number; down: number; across: number } {
  const [height, width] = kernel.shape;
  const values = kernel.dataSync();
  let [sum, down, across] = [0, 0, 0];
  values.forEach((value, i) => {
    sum += value;
    down += value * (Math.floor(i / width) - (height - 1) / 2) ** 2;
    across += value * (i % width - (width - 1) / 2) ** 2;
  });
  return { sum, down: Math.sqrt(down / sum), across: Math.sqrt(across / sum) };
}

const near = (value: number, expected: number, within: number) =>
  ok(Math.abs(value - expected) <= within, `${value}, not ${expected}`);

Deno.test("a Gaussian kernel has the width that it starts with along both axes, and the sum 1", () => {
  for (const sigma of [1, 2, 3]) {
    using h = gaussianKernel({ shape, sigma, averaging: 0.01 });
    const kernel = h.kernel();
    deepStrictEqual(kernel.shape, shape);
    const { sum, down, across } = momentsOf(kernel);
    near(sum, 1, 1e-5);
    near(down, sigma, 1e-3);
    near(across, sigma, 1e-3);
    near(h.sigma().dataSync()[0], sigma, 1e-5);
    near(h.gain().dataSync()[0], 1, 1e-6);
  }
});

Deno.test("a Gaussian kernel's two weights have the gradient that finite differences say it has", () => {
  using h = gaussianKernel({ shape: [9, 7, 1], sigma: 1.7, averaging: 0.01 });
  const [{ variable }] = h.weights;
  const target = tf.randomUniform([9, 7, 1], 0, 0.1, "float32", 7);
  const loss = () => tf.mul(l2(h.kernel(), target), 1e4) as tf.Scalar;
  const { grads } = tf.variableGrads(loss, [variable as tf.Variable]);
  const gradient = grads[variable.name].dataSync();
  const at = (index: number, by: number): number => {
    const values = Float32Array.from(variable.dataSync());
    const before = tf.tensor1d(values);
    values[index] += by;
    variable.assign(tf.tensor1d(values));
    const value = loss().dataSync()[0];
    variable.assign(before);
    return value;
  };
  for (const index of [0, 1]) {
    const difference = (at(index, 0.01) - at(index, -0.01)) / 0.02;
    near(gradient[index], difference, 1e-2 * Math.abs(difference));
  }
});

Deno.test("a Gaussian kernel is fitted to a wider and brighter one, and remembers where it started", async () => {
  using wanted = gaussianKernel({ shape, sigma: 4, averaging: 0.01 });
  using h = gaussianKernel({ shape, sigma: 2, averaging: 0.5 });
  using adam = new Adam({ beta1: 0, beta2: 0.9 });
  const target = tf.mul(wanted.kernel(), 1.5);
  const variables = [h.weights[0].variable];
  for (let step = 0; step < 400; step++) {
    tf.tidy(() => {
      const { grads } = tf.variableGrads(() => l2(h.kernel(), target), variables as tf.Variable[]);
      adam.step(variables, [grads[variables[0].name]], () => 0.05 * (1 - step / 400));
      h.settle!();
    });
  }
  near(h.sigma().dataSync()[0], 4, 0.02);
  near(h.gain().dataSync()[0], 1.5, 0.01);
  const { kernel, "kernel-initial": initial } = await h.learned();
  for (const [{ data }, sigma] of [[kernel, 4], [initial, 2]] as const) {
    const { sum, down } = momentsOf(tf.tensor(data, shape));
    near(sum, 1, 1e-4);
    near(down, sigma, 0.1);
  }
});

Deno.test("a kernel's average is that of all steps until they are many, and then forgets", () => {
  using h = gaussianKernel({ shape, sigma: 1, averaging: 0.25 });
  const [{ variable }, { variable: average }] = h.weights;
  const seen: number[] = [];
  let expected = 0;
  for (const [step, value] of [3, 1, 2, 6, 0, 4].entries()) {
    tf.tidy(() => variable.assign(tf.tensor1d([value, 0])));
    h.settle!();
    expected += Math.max(1 / (step + 1), 0.25) * (value - expected);
    seen.push(value);
    if (step < 4) near(expected, seen.reduce((a, b) => a + b) / seen.length, 1e-9);
    near(average.dataSync()[0], expected, 1e-5);
  }
});

Deno.test("a Gaussian kernel refuses volumes, even extents and widths that are not positive, and leaves nothing behind", () => {
  const start = tf.memory().numTensors;
  for (const wrong of [[4, 5, 1], [5, 5, 2], [5, 5, 5, 1]]) {
    throws(() => gaussianKernel({ shape: wrong, sigma: 1, averaging: 0.01 }), /odd extents/);
  }
  throws(() => gaussianKernel({ shape, sigma: 0, averaging: 0.01 }), /positive, not 0/);
  {
    using h = gaussianKernel({ shape, sigma: 1, averaging: 0.01 });
    ok(h.weights.length > 0);
  }
  strictEqual(tf.memory().numTensors, start);
});
