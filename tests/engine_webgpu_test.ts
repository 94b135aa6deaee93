/** What is WebGPU's own: very many workgroups, and failures that are told aside. */

import { equal, match, ok } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../engine/backend.ts";
import { kernel } from "../engine/kernel_names.ts";
import * as ops from "../engine/ops.ts";
import { pathOf } from "./commands_running.ts";
import { starts } from "./engine_op_cases.ts";

const ignore = !(await starts("webgpu"));

Deno.test({
  name: "a tensor that takes more workgroups than a dimension has is computed to its end (webgpu)",
  ignore,
  async fn() {
    await startBackend({ name: "webgpu" });
    // Of 64 threads with four values each a dimension has 65535.
    const last = tf.tidy(() => {
      const leaky = ops.leakyRelu(tf.fill([65_600, 256], -1), 0.5);
      return tf.slice(leaky, [65_599, 252], [1, 4]);
    });
    equal((await last.data()).join(), "-0.5,-0.5,-0.5,-0.5");
    last.dispose();
    await startBackend();
  },
});

Deno.test({
  name: "more tensors are summed than a shader can bind, and nothing stays behind (webgpu)",
  ignore,
  async fn() {
    await startBackend({ name: "webgpu" });
    const { numTensors, numDataBuffers } = tf.memory();
    const parts = Array.from({ length: 40 }, (_, i) => tf.tensor([i, 2 * i]));
    const sum = tf.addN(parts);
    equal((await sum.data()).join(), "780,1560");
    tf.dispose([...parts, sum]);
    equal(tf.memory().numTensors, numTensors);
    equal(tf.memory().numDataBuffers, numDataBuffers);
    await startBackend();
  },
});

/** What of this kernel reaches the processor. */
async function valuesOf(name: string, inputs: tf.NamedTensorMap, attributes = {}): Promise<Float32Array> {
  const made = tf.engine().runKernel(name, inputs, attributes) as tf.Tensor;
  const values = await made.data<"float32">();
  made.dispose();
  return values;
}

/** Refuses what is further from the expected number than a share of it. */
function near(actual: number, expected: number, what: string, share = 1e-5): void {
  ok(Math.abs(actual - expected) <= share * Math.abs(expected), `${what} is ${actual}, not ${expected}`);
}

/** Of two kinds of pixels, in which all that a norm sums is known: a quarter of them `high`, the others `low`. */
function quarters(size: number, channels: number, high: number, low: number): tf.Tensor4D {
  const values = new Float32Array(size * size * channels).fill(low);
  // A quarter that is not the same share of every slice: the first rows, and the last.
  values.fill(high, 0, values.length / 8);
  values.fill(high, values.length * 7 / 8);
  return tf.tensor4d(values, [1, size, size, channels]);
}

// An invocation on Mesa's software Vulkan ends after 65,535 turns of its loops, without a word.
for (const { size, channels } of [{ size: 2048, channels: 1 }, { size: 1024, channels: 3 }]) {
  Deno.test({
    name: `the norm's sums and its derivatives have all of ${channels}x${size}x${size} values (webgpu)`,
    ignore,
    async fn() {
      await startBackend({ name: "webgpu" });
      const { numTensors, numDataBuffers } = tf.memory();
      const [epsilon, mean, std] = [1e-5, 100.5, Math.sqrt(0.75)];
      const x = quarters(size, channels, 102, 100);
      const v = quarters(size, channels, 5, 1);
      const statistics = tf.engine().runKernel(kernel.instanceNormStatistics, { x }, {
        epsilon,
      }) as tf.Tensor;
      const found = await statistics.data();
      for (let channel = 0; channel < channels; channel++) {
        near(found[channel], mean, "mean");
        near(found[channels + channel], 1 / Math.sqrt(0.75 + epsilon), "1/std", 1e-4);
      }
      const last = size * size * channels - 1;
      const middle = (last + 1) / 2 + channels - 1;
      const normal = await valuesOf(kernel.instanceNorm, { x, statistics }, { slope: 1 });
      for (const at of [0, last]) near(normal[at], 1.5 / std, "a high value, normalised", 1e-4);
      near(normal[middle], -0.5 / std, "a low value, normalised", 1e-4);

      // v is x, stretched and shifted: it has no part that is not along y, so with a leaky ReLU, whose slope is 1/2 where
      // y is low, w is 5 and 1/2; ⟨w⟩ = 13/8, and what is left of it beside ⟨w⟩ and y is nought.
      const slopes = { inner: 0.5, outer: 1 };
      const along = await valuesOf(kernel.instanceNormGradient, { x, statistics, v }, slopes);
      for (const at of [0, middle, last]) {
        ok(Math.abs(along[at]) < 3e-3, `the gradient has ${along[at]} along y`);
      }
      // Of a gradient in the first half alone neither mean nor part along y is all of it.
      const ones = new Float32Array(last + 1).fill(1, 0, (last + 1) / 2);
      const first = tf.tensor4d(ones, [1, size, size, channels]);
      const across = await valuesOf(kernel.instanceNormGradient, { x, statistics, v: first }, {
        inner: 1,
        outer: 1,
      });
      // ⟨w⟩ = 1/2 and ⟨y, w⟩ = (1.5/8 − 0.5·3/8)/std = 0.
      for (const at of [0, middle - channels]) near(across[at], 0.5 / std, "the gradient", 1e-3);
      near(across[last], -0.5 / std, "the gradient", 1e-3);

      // v′ = g′ = 2·std·y: P = Q = 2·std, S = 4·std², so that −r²y(2·2·std·2·std + 4·std² − 3·4·std²) = 0; with g = w
      // of the first half, P = 2·std, Q = 0, S = 0: −r²·2·std·g′ = ∓1/std.
      const still = await valuesOf(kernel.instanceNormCurvature, { x, statistics, v: x, g: v }, {
        inner: 1,
        outer: 1,
      });
      for (const at of [0, middle, last]) {
        ok(Math.abs(still[at]) < 1e-2, `the curvature has ${still[at]} along y`);
      }
      const bent = await valuesOf(kernel.instanceNormCurvature, { x, statistics, v, g: first }, {
        inner: 1,
        outer: 1,
      });
      near(bent[0], -1 / std, "the curvature", 1e-3);
      near(bent[last], 1 / std, "the curvature", 1e-3);

      for (const sum of await valuesOf(kernel.channelSums, { x: v })) {
        near(sum, 2 * size * size, "a channel's sum");
      }
      tf.dispose([x, v, first, statistics]);
      equal(tf.memory().numTensors, numTensors);
      equal(tf.memory().numDataBuffers, numDataBuffers);
      await startBackend();
    },
  });
}

Deno.test({
  name:
    "the gradient in a filter has all pixels of large images and batches, and again the same bits (webgpu)",
  ignore,
  async fn() {
    await startBackend({ name: "webgpu" });
    const { numTensors, numDataBuffers } = tf.memory();
    const over = async (image: [number, number, number, number], outputs: number, side: number) => {
      const x = tf.ones<tf.Rank.R4>(image);
      const gradient = tf.ones<tf.Rank.R4>([...image.slice(0, 3), outputs] as typeof image);
      const padding = (side - 1) / 2;
      const made = ops.conv2dBackpropFilter(x, gradient, [side, side], { padding });
      const values = await made.data();
      tf.dispose([x, gradient, made]);
      return values;
    };
    // Where a tap of the filter reads beyond the image, there are zeros: it counts a row or a column less.
    const expected = [-1, 0, 1].flatMap((down) =>
      [-1, 0, 1].flatMap((right) => Array(2 * 16).fill(16 * (320 - Math.abs(down)) * (320 - Math.abs(right))))
    );
    equal((await over([16, 320, 320, 2], 16, 3)).join(), expected.join());
    for (const outputs of [1, 3, 4]) {
      equal((await over([1, 1024, 1024, 3], outputs, 1)).join(), Array(3 * outputs).fill(2 ** 20).join());
    }
    const x = tf.randomNormal<tf.Rank.R4>([2, 300, 301, 5], 0, 1, "float32", 1);
    const twice = [0, 1].map(() => ops.conv2dBackpropFilter(x, x, [3, 3], { padding: 1 }));
    equal((await twice[0].data()).join(), (await twice[1].data()).join());
    // A filter of one tap sums squares on its diagonal, and is symmetric.
    const one = ops.conv2dBackpropFilter(x, x, [1, 1]);
    const [pairs, values] = [await one.data(), await x.data()];
    for (let a = 0; a < 5; a++) {
      for (let b = 0; b < 5; b++) {
        let sum = 0;
        for (let at = 0; at < values.length; at += 5) sum += values[at + a] * values[at + b];
        ok(Math.abs(pairs[5 * a + b] - sum) < 0.1, `[${a}, ${b}] is ${pairs[5 * a + b]}, not ${sum}`);
      }
    }
    tf.dispose([x, one, ...twice]);
    equal(tf.memory().numTensors, numTensors);
    equal(tf.memory().numDataBuffers, numDataBuffers);
    await startBackend();
  },
});

Deno.test({
  name: "the largest tensor is summed to its end, and nothing stays behind (webgpu)",
  ignore,
  async fn() {
    await startBackend({ name: "webgpu" });
    const { numTensors, numDataBuffers } = tf.memory();
    const x = tf.fill([8, 2048, 2048, 1], 2);
    const reduced = [tf.sum(x), tf.mean(x, [0, 1, 2]), tf.max(x), tf.min(x, undefined, true)];
    equal(reduced.map(({ shape }) => `[${shape}]`).join(), "[],[1],[],[1,1,1,1]");
    equal((await Promise.all(reduced.map((one) => one.data()))).join(), `${2 ** 26},2,2,2`);
    tf.dispose([x, ...reduced]);
    equal(tf.memory().numTensors, numTensors);
    equal(tf.memory().numDataBuffers, numDataBuffers);
    await startBackend();
  },
});

Deno.test({ name: "what fails on a graphics device ends the process, in words", ignore }, async () => {
  const at = (path: string) => JSON.stringify(`file://${pathOf(path)}`);
  const code = `
    import * as tf from "npm:@tensorflow/tfjs-core@4.22.0";
    import { startBackend } from ${at("../engine/backend.ts")};
    import { run } from ${at("../engine/webgpu/program.ts")};
    await startBackend({ name: "webgpu" });
    const x = tf.ones([4]);
    const wrong = { name: "wrong", inputs: { x }, outputShape: [4], count: 4, code: () => "this is no WGSL" };
    console.log(await tf.backend().read(run(tf.backend(), wrong).dataId));`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--unstable-webgpu", "--config", pathOf("../deno.json"), code],
  }).output();
  equal(success, false);
  match(
    new TextDecoder().decode(stderr),
    /the graphics device failed: [^]*\n {2}where: --backend webgpu\n {2}fix: /,
  );
});

Deno.test("a graphics device that is lost ends the process, in words, unless it was destroyed on purpose", async () => {
  const code = (reason: string) => `
    import { hearFailures } from ${JSON.stringify(`file://${pathOf("../engine/webgpu/failures.ts")}`)};
    const lost = Promise.resolve({ reason: "${reason}", message: "the driver was reset" });
    hearFailures({ device: { lost, limits: {}, createBuffer() {}, addEventListener() {} } });
    setTimeout(() => {});`;
  const run = async (reason: string) => {
    const args = ["eval", "--config", pathOf("../deno.json"), code(reason)];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    return { success, err: new TextDecoder().decode(stderr) };
  };
  const { success, err } = await run("unknown");
  equal(success, false);
  match(err, /the graphics device was lost: the driver was reset\n {2}where: --backend webgpu\n {2}fix: /);
  equal((await run("destroyed")).success, true);
});
