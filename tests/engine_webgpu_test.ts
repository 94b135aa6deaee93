/** What is WebGPU's own: very many workgroups, and failures that are told aside. */

import { equal, match } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../engine/backend.ts";
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
