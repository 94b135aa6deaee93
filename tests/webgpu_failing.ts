/** Methods whose graphics device fails, for `--use`: TensorFlow.js would go on with zeros. */

import * as tf from "@tensorflow/tfjs-core";
import type { Method } from "../methods/method.ts";
import type { Extension } from "../mod.ts";
import { toyBenchmark } from "./toy.ts";
import { trained } from "./toy_extension.ts";

interface Device {
  createShaderModule(of: { readonly code: string }): object;
  createComputePipeline(
    of: { readonly layout: "auto"; readonly compute: { readonly module: object } },
  ): unknown;
}

/** {@linkcode trained}, with a shader at its second update that is none. */
const failing: Method = {
  ...trained,
  name: "failing",
  prepare(problem, settings, rng) {
    const learner = trained.prepare(problem, settings, rng);
    return {
      ...learner,
      async update(draw, progress) {
        if (progress > 0) {
          const { device } = tf.backend() as unknown as { readonly device: Device };
          const module = device.createShaderModule({ code: "this is no WGSL" });
          device.createComputePipeline({ layout: "auto", compute: { module } });
        }
        return await learner.update!(draw, progress);
      },
      [Symbol.dispose]() {},
    };
  },
};

/** {@linkcode trained}, with an error that nobody waits for. */
const forgetful: Method = {
  ...trained,
  name: "forgetful",
  prepare(problem, settings, rng) {
    const learner = trained.prepare(problem, settings, rng);
    return {
      ...learner,
      async update(draw, progress) {
        Promise.reject(new Error("nobody waits for me"));
        return await learner.update!(draw, progress);
      },
      [Symbol.dispose]() {},
    };
  },
};

const toy = toyBenchmark();

export default {
  benchmarks: [{
    ...toy,
    rows: [...toy.rows, { name: "failing", method: failing }, { name: "forgetful", method: forgetful }],
  }],
} satisfies Extension;
